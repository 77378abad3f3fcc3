package channel

import "time"

const (
	// deniedRate is how many events tell of what was denied, a second; deniedSpan gives a few at once.
	deniedRate = 1
	deniedSpan = 10 * time.Second
)

// Denied is the detail of the event `denied`: a driver wanted to open what it was not granted.
type Denied struct {
	// Name is what it wanted: a name, or an address.
	Name string `json:"name"`
	// Reason is why it cannot have it.
	Reason string `json:"reason"`
	Phase  string `json:"phase"`
	// Suppressed is how many others since the last event were told by none.
	Suppressed uint64 `json:"suppressed,omitempty"`
}

// denials tells of what a driver was denied, now and then.
type denials struct {
	bucket     bucket
	suppressed uint64
}

func newDenials() denials { return denials{bucket: bucket{rate: deniedRate, span: deniedSpan}} }

// denied tells one event and one line of the log, as often as that may be, and counts a strike.
func (s *session) denied(name, why string) {
	defer s.strike("it opens what it was not granted")
	if !s.denials.bucket.try(time.Now()) {
		s.denials.suppressed++
		return
	}
	d := Denied{
		Name: oneLine(name, maxName), Reason: oneLine(why, maxLine), Phase: string(s.phase),
		Suppressed: s.denials.suppressed,
	}
	s.denials.suppressed = 0
	s.log.logger.Warn("denied", "name", d.Name, "reason", d.Reason, "suppressed", d.Suppressed)
	s.channel.config.Sink.Event("denied", d)
}
