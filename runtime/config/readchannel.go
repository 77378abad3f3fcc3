package config

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// The defaults of a channel (DESIGN.md, "Supervision" and "Limits").
const (
	defaultInitial = time.Second
	defaultMax     = 30 * time.Second
	defaultConnect = 15 * time.Second
	defaultInit    = 15 * time.Second
	defaultStop    = 5 * time.Second
	defaultEvery   = time.Second
)

const (
	// shortestPeriod is below what any read takes: such a point is read again and again.
	shortestPeriod = 10 * time.Microsecond

	shortest = time.Millisecond
	longest  = 366 * day
)

func (v value) channels() []*Channel {
	var channels []*Channel
	// drover.<node>.<channel>... has ctl, get and handle in the place of a channel.
	v.named("channel", []string{"ctl", "get", "handle", "_"}, func(name string, child value) {
		channels = append(channels, child.channel(name))
	})
	return channels
}

func (v value) channel(name string) *Channel {
	c := &Channel{
		Name: name, Position: v.key, Settings: noSettings(v), Delivery: DeliveryCore,
		Limits:     defaultLimits(),
		Retry:      Retry{Initial: defaultInitial, Max: defaultMax, Attempts: Unlimited},
		Deadlines:  Deadlines{Connect: defaultConnect, Init: defaultInit, Stop: defaultStop},
		Quarantine: Quarantine{Crashes: defaultCrashes, Window: defaultWindow},
	}
	v, given := v.used(name)
	o, ok := v.object(channelKeys(c), channelLater())
	if o.has("devices") {
		c.Devices = o["devices"].devices(cmp.Or(c.every, defaultEvery))
	}
	given.unused()
	if ok && !o.has("driver") {
		v.missing("driver", whatDriver)
	}
	return c
}

func channelKeys(c *Channel) keys {
	return keys{
		"use":         nil,
		"vars":        nil,
		"driver":      func(v value) { v.driver(c) },
		"connections": func(v value) { c.Connections = v.connections() },
		"grants":      func(v value) { v.object(grantsKeys(&c.Grants), nil) },
		"limits":      func(v value) { v.object(limitsKeys(&c.Limits), nil) },
		"retry":       func(v value) { v.retry(&c.Retry) },
		"deadlines":   func(v value) { v.object(deadlinesKeys(&c.Deadlines), nil) },
		"quarantine":  func(v value) { v.object(quarantineKeys(&c.Quarantine), nil) },
		"delivery":    func(v value) { oneOf(v, &c.Delivery, DeliveryCore, DeliveryStream) },
		"messages":    func(v value) { v.either(&c.PointMessages, "device", "point") },
		"integers":    func(v value) { v.either(&c.IntegerText, "number", "string") },
		"settings":    func(v value) { c.Settings = v.settings() },
		"every":       func(v value) { v.duration(&c.every, shortestPeriod, longest) },
		// Devices come after the period that they inherit, wherever it stands.
		"devices": nil,
	}
}

func channelLater() later {
	return later{"align": "reads at whole multiples of the period"}
}

// either reads one of two words; into says whether it is the second.
func (v value) either(into *bool, no, yes word) {
	choice := no
	oneOf(v, &choice, no, yes)
	*into = choice == yes
}

// word is one of the words that a key takes.
type word string

// storedName is name@version; storedDigest is a whole digest: a part of one may become another module's as well.
var (
	storedName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*@[^@/\\\s]+$`)
	storedDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

const whatDriver = "the path of a driver module, such as modbus.wasm, or one of the store, such as modbus@1.3.0"

func (v value) driver(c *Channel) {
	c.DriverPosition = v.at()
	var text string
	if !v.text(&text, whatDriver) {
		return
	}
	switch {
	case strings.HasPrefix(text, "sha256:") && !storedDigest.MatchString(text):
		v.problem("%q is no digest, expected sha256: and 64 hexadecimal digits in lower case", clip(text))
	case storedDigest.MatchString(text), storedName.MatchString(text) && !strings.HasSuffix(text, ".wasm"):
		c.Driver = text
	default:
		c.Driver = v.r.absolute(text)
	}
}

func (v value) retry(r *Retry) {
	o, _ := v.object(retryKeys(r), nil)
	switch {
	case r.Initial <= r.Max:
	case o.has("max"):
		o["max"].problem("max is shorter than initial, expected at least %s", formatDuration(r.Initial))
	default:
		o["initial"].problem("initial is longer than max, which is %s by default, expected max as well",
			formatDuration(r.Max))
	}
}

func retryKeys(r *Retry) keys {
	return keys{
		"initial":  func(v value) { v.duration(&r.Initial, shortest, longest) },
		"max":      func(v value) { v.duration(&r.Max, shortest, longest) },
		"attempts": func(v value) { v.attempts(&r.Attempts) },
		"elapsed":  func(v value) { v.duration(&r.Elapsed, shortest, longest) },
	}
}

func (v value) attempts(into *int) {
	switch v.kind() {
	case kindInteger:
		if n, ok := v.integer(0, 1_000_000); ok {
			*into = int(n)
		}
	case kindText:
		if v.node.Value == "unlimited" {
			*into = Unlimited
			return
		}
		fallthrough
	default:
		v.expected("unlimited or a number of retries")
	}
}

func deadlinesKeys(d *Deadlines) keys {
	// The host ends each I/O 500 ms before its phase ends, so a phase has at least a second.
	const least, most = time.Second, time.Hour
	return keys{
		"connect": func(v value) { v.duration(&d.Connect, least, most) },
		"init":    func(v value) { v.duration(&d.Init, least, most) },
		"stop":    func(v value) { v.duration(&d.Stop, least, most) },
	}
}
