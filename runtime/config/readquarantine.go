package config

import "time"

// Quarantine is when crashes end a channel.
type Quarantine struct {
	// Crashes within Window are too many; Never (negative) is no number of them.
	Crashes int
	Window  time.Duration
}

// Never is the value of Quarantine.Crashes for channels that are never quarantined.
const Never = -1

// The defaults of a quarantine (DESIGN.md, "Supervision").
const (
	defaultCrashes = 5
	defaultWindow  = 10 * time.Minute
)

func quarantineKeys(q *Quarantine) keys {
	return keys{
		"crashes": func(v value) { v.crashes(&q.Crashes) },
		"window":  func(v value) { v.duration(&q.Window, time.Second, longest) },
	}
}

func (v value) crashes(into *int) {
	switch v.kind() {
	case kindInteger:
		if n, ok := v.integer(1, 1000); ok {
			*into = int(n)
		}
	case kindText:
		if v.node.Value == "never" {
			*into = Never
			return
		}
		fallthrough
	default:
		v.expected("never or a number of crashes, such as 5")
	}
}
