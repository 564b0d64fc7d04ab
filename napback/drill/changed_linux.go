package drill

import (
	"syscall"
	"time"
)

func changed(raw *syscall.Stat_t) time.Time { return time.Unix(raw.Ctim.Unix()) }
