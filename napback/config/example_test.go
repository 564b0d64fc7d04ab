package config_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"napback/internal/slot"
	"napback/napback/config"
)

// A configuration is a list of jobs, each with the settings that hold for it: those
// around it, and its own.
func Example() {
	dir, err := os.MkdirTemp("", "config")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "web.conf")
	const text = `
Bucket  backups
DiffDir /var/lib/napback
Prefix  %h

Directory /home
<Cycle weekly>
    Frequency 7
    MySQL shop
    <Directory />
        Exclude /proc
        Name system
    </Directory>
</Cycle>
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	c, err := config.Load(file, config.Env{Host: "web1"})
	if err != nil {
		log.Fatal(err)
	}
	day, err := slot.ParseDate("2026-11-20")
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range c.Jobs {
		_, due := job.Settings.Schedule.Slot(day)
		fmt.Printf("%s is stored as %s; due on %s: %v\n", job, job.Name, day, due)
	}
	// Output:
	// Directory /home is stored as web1/home; due on 2026-11-20: true
	// MySQL shop is stored as web1/MySQL/shop; due on 2026-11-20: false
	// Directory / is stored as web1/system; due on 2026-11-20: false
}
