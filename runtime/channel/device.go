package channel

import (
	"maps"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
)

const (
	// maxGauges is how many figures a device may have (data.wit).
	maxGauges = 32
	// maxGaugeName is how long the name of one may be.
	maxGaugeName = 64
	// toldRate is how often a second a device's state is told, toldSpan gives a few at once; changes in between become
	// one.
	toldRate = 10
	toldSpan = time.Second
)

// device is a device of the channel. It outlives sessions, so that its sequence numbers go on.
type device struct {
	name string

	mu      sync.Mutex // the session and the supervisor both publish
	seq     uint64
	state   point.DeviceState
	untold  bool // state has what was not told yet
	told    bucket
	pending *[]point.Reading // of the cycle at hand; nil between cycles
}

func newDevice(name string) *device {
	return &device{
		name:  name,
		state: point.DeviceState{Device: name, Status: driver.StatusOffline},
		told:  bucket{rate: toldRate, span: toldSpan},
	}
}

// batches has slices of readings that are empty: channels that wait need none.
var batches = sync.Pool{New: func() any { return new([]point.Reading) }}

// add puts a reading to those of the cycle at hand. d.mu is held.
func (d *device) add(r point.Reading) {
	if d.pending == nil {
		d.pending = batches.Get().(*[]point.Reading)
	}
	*d.pending = append(*d.pending, r)
}

// flush sends what the cycle gave as one batch, or apart as one for each reading. d.mu is held.
func (d *device) flush(sink Sink, apart bool, now time.Time) {
	if d.pending == nil {
		return
	}
	readings := *d.pending
	if apart {
		for i := range readings {
			d.send(sink, readings[i].Name, readings[i:i+1], now)
		}
	} else {
		d.send(sink, "", readings, now)
	}
	clear(readings)
	*d.pending = readings[:0]
	batches.Put(d.pending)
	d.pending = nil
}

func (d *device) send(sink Sink, name string, readings []point.Reading, now time.Time) {
	d.seq++
	at := readings[0].Time
	if at.IsZero() {
		at = now
	}
	sink.Data(point.Batch{Device: d.name, Point: name, Seq: d.seq, Time: at, Readings: readings})
}

// setStatus tells a change of the device's status; equal ones in a row are one.
func (d *device) setStatus(sink Sink, status driver.Status, reason string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Status == status && d.state.Reason == reason && !d.state.Since.IsZero() {
		return
	}
	if d.state.Status != status || d.state.Since.IsZero() {
		d.state.Since = now
	}
	d.state.Status, d.state.Reason = status, reason
	d.tell(sink, now)
}

// gaugeOverruns is the gauge that kits count skipped poll cycles with, in a session.
const gaugeOverruns = "overruns"

// setGauges returns how many poll cycles the device skipped since it said so last.
func (d *device) setGauges(sink Sink, figures []component.Tuple2[string, float64], now time.Time) (skipped uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gauges := maps.Clone(d.state.Gauges)
	if gauges == nil {
		gauges = make(map[string]float64, len(figures))
	}
	for _, f := range figures {
		was, known := gauges[f.F0]
		if f.F0 == gaugeOverruns {
			skipped += increase(was, f.F1)
		}
		if isGaugeName(f.F0) && (known || len(gauges) < maxGauges) {
			gauges[f.F0] = f.F1
		}
	}
	d.state.Gauges = gauges // a map that is told is never changed again
	d.tell(sink, now)
	return skipped
}

// increase is by how much a count has grown; one that shrank began anew.
func increase(was, is float64) uint64 {
	if is < was {
		was = 0
	}
	if by := is - was; by >= 1 && by < 1<<53 {
		return uint64(by)
	}
	return 0
}

// tell tells the state, or keeps it until it may be told. d.mu is held.
func (d *device) tell(sink Sink, now time.Time) {
	if d.untold = !d.told.try(now); !d.untold {
		sink.Device(d.state)
	}
}

// catchUp tells what was kept, as soon as that may be, or now where the session is over. It returns in how long the next
// one may be told; 0 when nothing is left.
func (c *Channel) catchUp(now time.Time, over bool) time.Duration {
	var next time.Duration
	for _, m := range c.edition().members {
		d := m.device
		d.mu.Lock()
		wait := d.told.wait(now)
		switch {
		case d.untold && (over || wait == 0):
			d.told.take(1, now)
			d.untold = false
			c.config.Sink.Device(d.state)
		case d.untold && (next == 0 || wait < next):
			next = wait
		}
		d.mu.Unlock()
	}
	return next
}

func isGaugeName(s string) bool {
	if s == "" || len(s) > maxGaugeName {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// DeviceStates returns how each device is, in the order of the configuration.
func (c *Channel) DeviceStates() []point.DeviceState {
	members := c.edition().members
	states := make([]point.DeviceState, len(members))
	for i, m := range members {
		m.device.mu.Lock()
		states[i] = m.device.state
		m.device.mu.Unlock()
	}
	return states
}
