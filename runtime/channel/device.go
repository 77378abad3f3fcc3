package channel

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
)

// maxGauges is how many figures a device may have (data.wit).
const maxGauges = 32

// device is a device of the channel. It outlives sessions, so that its sequence numbers go on.
type device struct {
	points []*servedPoint

	mu      sync.Mutex // the session and the supervisor both publish
	seq     uint64
	state   point.DeviceState
	pending []point.Reading // of the cycle at hand; kept for the next
}

// servedPoint is a point and the device that it belongs to.
type servedPoint struct {
	*point.Point
	device *device
}

func (c *Channel) addDevice(cfg Device) error {
	d := &device{state: point.DeviceState{Device: cfg.Name, Status: driver.StatusOffline}}
	for _, p := range cfg.Points {
		def := p.Definition
		def.Device = cfg.Name
		made, err := point.New(def)
		if err != nil {
			return fmt.Errorf("channel %q, device %q: %w", c.config.Name, cfg.Name, err)
		}
		served := &servedPoint{Point: made, device: d}
		d.points = append(d.points, served)
		c.points = append(c.points, served)
	}
	c.devices = append(c.devices, d)
	return nil
}

// flush sends what the cycle gave as one batch. d.mu is held.
func (d *device) flush(sink Sink, now time.Time) {
	if len(d.pending) == 0 {
		return
	}
	d.seq++
	at := d.pending[0].Time
	if at.IsZero() {
		at = now
	}
	sink.Data(point.Batch{Device: d.state.Device, Seq: d.seq, Time: at, Readings: d.pending})
	clear(d.pending)
	d.pending = d.pending[:0]
}

// lost publishes every point once as bad after a session has failed, and every device as offline.
func (c *Channel) lost(code string, now time.Time) {
	for _, d := range c.devices {
		d.mu.Lock()
		for _, p := range d.points {
			if p.Definition().Access == driver.AccessWrite {
				continue
			}
			if r, due := p.Lost(code, now); due {
				d.pending = append(d.pending, r)
			}
		}
		d.flush(c.config.Sink, now)
		d.mu.Unlock()
		d.setStatus(c.config.Sink, driver.StatusOffline, code, now)
	}
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
	sink.Device(d.snapshot())
}

func (d *device) setGauges(sink Sink, figures []component.Tuple2[string, float64]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gauges := maps.Clone(d.state.Gauges)
	if gauges == nil {
		gauges = make(map[string]float64, len(figures))
	}
	for _, f := range figures {
		_, known := gauges[f.F0]
		if isGaugeName(f.F0) && (known || len(gauges) < maxGauges) {
			gauges[f.F0] = f.F1
		}
	}
	d.state.Gauges = gauges
	sink.Device(d.snapshot())
}

// snapshot returns the state; its gauges are never changed again. d.mu is held.
func (d *device) snapshot() point.DeviceState { return d.state }

func isGaugeName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}
