package message

import (
	"fmt"
	"strings"
)

// The prefixes of the two roots, unless the configuration sets others.
const (
	DefaultPrefix     = "drover"
	DefaultCallPrefix = "drover-call"
)

// ValidName says whether s may name a node, a channel, a device, a point or an event: [A-Za-z0-9_-]+, at most 128.
func ValidName(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// ValidChannel says whether s may name a channel: the words that follow the node elsewhere may not.
func ValidChannel(s string) bool {
	return ValidName(s) && s != "ctl" && s != "get" && s != "handle"
}

// ValidDevice says whether s may name a device: "_" is the channel itself.
func ValidDevice(s string) bool { return ValidName(s) && s != "_" }

// ValidPrefix says whether s may start subjects: names joined by dots.
func ValidPrefix(s string) bool {
	for token := range strings.SplitSeq(s, ".") {
		if !ValidName(token) {
			return false
		}
	}
	return true
}

// Kind is what a message is about.
type Kind string

// The kinds of messages under the first root.
const (
	KindData   Kind = "data"
	KindState  Kind = "state"
	KindDevice Kind = "device"
	KindEvent  Kind = "event"
	KindLog    Kind = "log"
	KindHandle Kind = "handle"
)

// Subject is the subject of a message that a node publishes, taken apart.
type Subject struct {
	Node, Channel string
	Kind          Kind
	// Device is set for data, device and handle.
	Device string
	// Point is set for data where each point has messages of its own.
	Point string
	// Event is the event's name.
	Event string
}

// ParseSubject takes apart a subject under prefix.
func ParseSubject(prefix, subject string) (Subject, error) {
	rest, ok := strings.CutPrefix(subject, prefix+".")
	tokens := strings.Split(rest, ".")
	if !ok || len(tokens) < 3 || len(tokens) > 5 {
		return Subject{}, fmt.Errorf("%w: subject %q", ErrMalformed, subject)
	}
	for _, token := range tokens {
		if !ValidName(token) {
			return Subject{}, fmt.Errorf("%w: subject %q", ErrMalformed, subject)
		}
	}
	if tokens[1] == "handle" && len(tokens) == 4 {
		return Subject{Node: tokens[0], Kind: KindHandle, Channel: tokens[2], Device: tokens[3]}, nil
	}
	s := Subject{Node: tokens[0], Channel: tokens[1], Kind: Kind(tokens[2])}
	last := ""
	if len(tokens) > 3 {
		last = tokens[3]
	}
	if len(tokens) > 4 {
		s.Point, ok = tokens[4], s.Kind == KindData
	}
	switch s.Kind {
	case KindState, KindLog:
		ok = ok && last == ""
	case KindData, KindDevice:
		s.Device, ok = last, ok && last != ""
	case KindEvent:
		s.Event, ok = last, ok && last != ""
	default:
		ok = false
	}
	if !ok {
		return Subject{}, fmt.Errorf("%w: subject %q", ErrMalformed, subject)
	}
	return s, nil
}

// String returns the subject without its prefix.
func (s Subject) String() string {
	switch s.Kind {
	case KindHandle:
		return s.Node + ".handle." + s.Channel + "." + s.Device
	case KindData, KindDevice:
		text := s.Node + "." + s.Channel + "." + string(s.Kind) + "." + s.Device
		if s.Point != "" {
			text += "." + s.Point
		}
		return text
	case KindEvent:
		return s.Node + "." + s.Channel + ".event." + s.Event
	default:
		return s.Node + "." + s.Channel + "." + string(s.Kind)
	}
}
