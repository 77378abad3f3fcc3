package sdktest

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Cycle is what one call of publish took.
type Cycle struct {
	// At is when, after New.
	At      time.Duration
	Samples []driver.Sample
}

// Answer is a reply to a command.
type Answer = component.Result[driver.Response, driver.CommandError]

// Status is the state that the driver gave a device.
type Status struct {
	Status driver.Status
	Reason string
}

// record is what the driver did.
type record struct {
	cycles     []Cycle
	answers    map[uint64]Answer
	progress   map[uint64][]string
	gauges     map[driver.DeviceID]map[string]float64
	statuses   map[driver.DeviceID]Status
	logs       []string
	reconnects []string
	state      []byte
}

func newRecord() record {
	return record{
		answers:  map[uint64]Answer{},
		progress: map[uint64][]string{},
		gauges:   map[driver.DeviceID]map[string]float64{},
		statuses: map[driver.DeviceID]Status{},
	}
}

// Cycles returns what was published, a call each.
func (h *Host) Cycles() []Cycle { return h.cycles }

// Samples returns what was published of a point, in order.
func (h *Host) Samples(point driver.PointID) []driver.Sample {
	var out []driver.Sample
	for _, c := range h.cycles {
		for _, s := range c.Samples {
			if s.Point == point {
				out = append(out, s)
			}
		}
	}
	return out
}

// Answer returns the reply to a command, and whether there was one.
func (h *Host) Answer(id uint64) (Answer, bool) {
	a, ok := h.answers[id]
	return a, ok
}

// ProgressOf returns the lines of progress of a command.
func (h *Host) ProgressOf(id uint64) []string { return h.progress[id] }

// Gauge returns the last figure of a device by its name, and whether there is one.
func (h *Host) Gauge(device driver.DeviceID, name string) (float64, bool) {
	f, ok := h.gauges[device][name]
	return f, ok
}

// StatusOf returns the last state of a device, and whether there is one.
func (h *Host) StatusOf(device driver.DeviceID) (Status, bool) {
	s, ok := h.statuses[device]
	return s, ok
}

// Logs returns the log lines: "level message key=value ...".
func (h *Host) Logs() []string { return h.logs }

// Reconnects returns the reasons of the reconnects that the driver asked for and got.
func (h *Host) Reconnects() []string { return h.reconnects }

// State returns the blob that was saved last, nil for none.
func (h *Host) State() []byte { return h.state }

// SetState puts a blob in its place.
func (h *Host) SetState(blob []byte) { h.state = append([]byte{}, blob...) }

// take records as many samples as there is room for.
func (h *Host) take(samples []driver.Sample) int {
	n := len(samples)
	if h.Room >= 0 {
		n = min(n, h.Room)
		h.Room -= n
	}
	if n > 0 {
		h.cycles = append(h.cycles, Cycle{h.Elapsed(), copySamples(samples[:n])})
	}
	return n
}

// copySamples copies samples with their lists, as the border does: a driver may use its own again.
func copySamples(samples []driver.Sample) []driver.Sample {
	out := slices.Clone(samples)
	for i := range out {
		out[i].Value.Value = copyValue(out[i].Value.Value)
	}
	return out
}

func copyValue(v driver.Value) driver.Value {
	switch v.Tag() {
	case driver.ValueTagBytes:
		return driver.ValueBytes(bytes.Clone(v.Bytes()))
	case driver.ValueTagBooleans:
		return driver.ValueBooleans(slices.Clone(v.Booleans()))
	case driver.ValueTagSigneds:
		return driver.ValueSigneds(slices.Clone(v.Signeds()))
	case driver.ValueTagUnsigneds:
		return driver.ValueUnsigneds(slices.Clone(v.Unsigneds()))
	case driver.ValueTagFloats:
		return driver.ValueFloats(slices.Clone(v.Floats()))
	}
	return v
}

// Reply implements sdk.Host.
func (h *Host) Reply(id uint64, answer Answer) {
	if _, twice := h.answers[id]; twice || id == 0 || id > h.ids {
		h.tb.Errorf("sdktest: command %d is unknown or answered already", id)
		return
	}
	h.checkText(answer.Err.Invalid(), answer.Err.Refused().F0, answer.Err.Refused().F1, answer.Value.Invoke())
	if answer.Value.Tag() == driver.ResponseTagRead {
		answer.Value = driver.ResponseRead(copySamples(answer.Value.Read()))
	}
	h.answers[id] = answer
}

// Progress implements sdk.Host.
func (h *Host) Progress(id uint64, text string, _ float64) {
	h.checkText(text)
	h.progress[id] = append(h.progress[id], text)
}

// RequestReconnect implements sdk.Host: the session is stopped.
func (h *Host) RequestReconnect(reason string) bool {
	h.checkText(reason)
	if len(h.reconnects) > 0 {
		return false
	}
	h.reconnects = append(h.reconnects, reason)
	h.Stop()
	return true
}

// DeviceStatus implements sdk.Host.
func (h *Host) DeviceStatus(id driver.DeviceID, status driver.Status, reason string) {
	h.checkText(reason)
	h.statuses[id] = Status{status, reason}
}

// Gauges implements sdk.Host.
func (h *Host) Gauges(id driver.DeviceID, figures []component.Tuple2[string, float64]) {
	if h.gauges[id] == nil {
		h.gauges[id] = map[string]float64{}
	}
	for _, f := range figures {
		h.checkText(f.F0)
		h.gauges[id][f.F0] = f.F1
	}
}

// Log implements sdk.Host.
func (h *Host) Log(level driver.Level, message string, fields []component.Tuple2[string, string]) {
	var line strings.Builder
	line.WriteString(level.String() + " " + message)
	for _, f := range fields {
		line.WriteString(" " + f.F0 + "=" + f.F1)
	}
	h.checkText(line.String())
	h.logs = append(h.logs, line.String())
}

func (h *Host) checkText(texts ...string) {
	h.tb.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) {
			h.tb.Errorf("sdktest: text that is not UTF-8: %q", s)
		}
	}
}
