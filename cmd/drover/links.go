package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// linkLines say how the node's connections are, a line each. One within the node's process is worth a line only when it
// is not up.
func linkLines(p palette, links []message.Link, now time.Time) string {
	var b strings.Builder
	for _, l := range links {
		if l.URL == "" && l.State == "connected" && l.Violations == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s %s %s for %s", l.Name, l.URL, p.state(l.State), age(now, l.Since.Time))
		if l.Attempt > 0 {
			fmt.Fprintf(&b, ", attempt %d", l.Attempt)
		}
		if l.Reconnects > 0 {
			fmt.Fprintf(&b, ", %s", plural(int(l.Reconnects), "reconnect"))
		}
		if l.LastError != "" {
			fmt.Fprintf(&b, ", last error: %s", l.LastError)
		}
		if l.Violations > 0 {
			fmt.Fprintf(&b, "; not permitted %d times: %s", l.Violations, l.LastViolation)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
