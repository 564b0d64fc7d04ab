package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"napback/napback/tools"
)

// expiresSoon is how long before its end a key is warned of.
const expiresSoon = 30 * 24 * time.Hour

// recipients checks each set of keys that something is encrypted to.
func (s *survey) recipients(ctx context.Context) {
	seen := map[string]bool{}
	for _, t := range s.all {
		set := tools.Recipients(t.Settings)
		if seen[set] || len(t.Settings.GpgRecipients) == 0 {
			continue
		}
		seen[set] = true
		keys, err := within(ctx, s.Ready, short, func(ctx context.Context) ([]tools.Recipient, error) {
			return tools.RecipientsOf(ctx, s.Host.Kit, t.Job, s.Heard)
		})
		if err != nil {
			s.Result("recipients "+strings.Join(t.Settings.GpgRecipients, ", "), err)
		}
		for _, k := range keys {
			if !seen[k.Fingerprint] {
				seen[k.Fingerprint] = true
				s.recipient(k)
			}
		}
	}
}

func (s *survey) recipient(k tools.Recipient) {
	what := fmt.Sprintf("recipient %s, %s", k.Fingerprint, k.UserID)
	switch {
	case k.Expires == nil:
		s.Result(what+": it never expires", nil)
	case k.Expires.Sub(s.Host.Now()) < expiresSoon:
		s.Doubt(what+": it expires on "+k.Expires.Local().Format(time.DateOnly), "from then on every backup fails: give the key a later date, or take another one")
	default:
		s.Result(what+": it expires on "+k.Expires.Local().Format(time.DateOnly), nil)
	}
}
