package sdktest

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Reply is what a device sends, that long after the request or the Push.
type Reply struct {
	After time.Duration
	Data  []byte
	// Err, if not nil, breaks the line at that time, after the data was read.
	Err error
}

// Device answers what was written to a line: one call a write of the driver. A nil Device answers nothing.
type Device func(request []byte) []Reply

// Line is a serial port or a connection with a device at its end. Its exported fields may be changed at any time.
type Line struct {
	// OpenErr, if not nil, is an sdk.IOError that opening answers.
	OpenErr error
	// ReadyErr, if not nil, is an sdk.IOError that the stream fails with once ReadyAfter is over.
	ReadyErr error
	// ReadyAfter is how long opening takes.
	ReadyAfter time.Duration
	// Resumed says that the stream was taken over from the session before.
	Resumed bool
	// WriteErr, if not nil, is an sdk.IOError that writes answer.
	WriteErr error
	// Mode is the serial port's.
	Mode driver.Mode

	host    *Host
	name    string
	kind    driver.ConnectionKind
	device  Device
	handle  sdk.StreamHandle // 0: not open
	ready   time.Time
	inbox   []chunk // by time of arrival
	broken  *breakage
	written [][]byte
	opened  int
}

type chunk struct {
	at   time.Time
	data []byte
}

type breakage struct {
	at    time.Time
	cause driver.IOError
}

// Connect connects a device to a connection of the configuration.
func (h *Host) Connect(name string, kind driver.ConnectionKind, device Device) *Line {
	l := &Line{host: h, name: name, kind: kind, device: device}
	h.lines = append(h.lines, l)
	return l
}

// Push has the device send something unasked.
func (l *Line) Push(replies ...Reply) {
	for _, r := range replies {
		at := l.host.now.Add(r.After)
		if len(r.Data) > 0 {
			l.inbox = append(l.inbox, chunk{at, bytes.Clone(r.Data)})
		}
		if r.Err != nil && (l.broken == nil || at.Before(l.broken.at)) {
			l.broken = &breakage{at, cause(l.host, r.Err)}
		}
	}
	slices.SortStableFunc(l.inbox, func(a, b chunk) int { return a.at.Compare(b.at) })
}

// Written returns what the driver wrote, a call each.
func (l *Line) Written() [][]byte { return l.written }

// Opened returns how often the driver opened the line.
func (l *Line) Opened() int { return l.opened }

// Open says whether the driver holds the line open.
func (l *Line) Open() bool { return l.handle != 0 }

// available says whether there are bytes to read.
func (l *Line) available(now time.Time) bool { return len(l.inbox) > 0 && !l.inbox[0].at.After(now) }

// failed says whether the line is broken.
func (l *Line) failed(now time.Time) bool { return l.broken != nil && !l.broken.at.After(now) }

// changes adds the times at which something happens on the line by itself.
func (l *Line) changes(times []time.Time) []time.Time {
	if l.handle == 0 {
		return times
	}
	times = append(times, l.ready)
	for _, c := range l.inbox {
		if times = append(times, c.at); c.at.After(l.host.now) {
			break
		}
	}
	if l.broken != nil {
		times = append(times, l.broken.at)
	}
	return times
}

// receive appends at most limit bytes that have arrived to buf.
func (l *Line) receive(buf []byte, limit int) []byte {
	for limit > 0 && l.available(l.host.now) {
		c := &l.inbox[0]
		n := min(limit, len(c.data))
		buf = append(buf, c.data[:n]...)
		limit -= n
		if c.data = c.data[n:]; len(c.data) == 0 {
			l.inbox = slices.Delete(l.inbox, 0, 1)
		}
	}
	return buf
}

// frame returns how many of the bytes that have arrived belong to the first frame, when its last one arrived, and
// whether a gap after it is known to be over.
func (l *Line) frame(gap time.Duration) (size int, last time.Time, over bool) {
	for _, c := range l.inbox {
		if c.at.After(l.host.now) {
			break
		}
		if size > 0 && c.at.Sub(last) >= gap {
			return size, last, true
		}
		size, last = size+len(c.data), c.at
	}
	return size, last, l.host.now.Sub(last) >= gap
}

func cause(h *Host, err error) driver.IOError {
	h.tb.Helper()
	e, ok := errors.AsType[sdk.IOError](err)
	if !ok {
		h.tb.Fatalf("sdktest: a line fails with an sdk.IOError, not with %T", err)
	}
	return driver.IOError(e)
}
