package sdktest

import (
	"slices"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Door is a listener of the configuration, which devices connect to. Its exported fields may be changed at any time.
type Door struct {
	// Err, if not nil, is an sdk.IOError that listening answers.
	Err error

	host   *Host
	name   string
	handle sdk.ListenerHandle // 0: nobody listens
	calls  []incoming         // by time of arrival
}

type incoming struct {
	at   time.Time
	peer string
	line *Line
}

// Door makes a listener.
func (h *Host) Door(name string) *Door {
	d := &Door{host: h, name: name}
	h.doors = append(h.doors, d)
	return d
}

// Call has a device connect from peer, that long from now, and returns its line.
func (d *Door) Call(after time.Duration, peer string, device Device) *Line {
	l := d.host.Connect(d.name+" from "+peer, driver.ConnectionKindTCP, device)
	d.calls = append(d.calls, incoming{d.host.now.Add(after), peer, l})
	slices.SortStableFunc(d.calls, func(a, b incoming) int { return a.at.Compare(b.at) })
	return l
}

// Open says whether the driver listens.
func (d *Door) Open() bool { return d.handle != 0 }

func (d *Door) changes(times []time.Time) []time.Time {
	if d.handle != 0 && len(d.calls) > 0 {
		times = append(times, d.calls[0].at)
	}
	return times
}

// SocketListen implements sdk.Host.
func (h *Host) SocketListen(name string) component.Result[sdk.ListenerHandle, driver.IOError] {
	i := slices.IndexFunc(h.doors, func(d *Door) bool { return d.name == name })
	switch {
	case h.phase == "configure":
		return component.Err[sdk.ListenerHandle](driver.IOErrorInvalid)
	case i < 0:
		return component.Err[sdk.ListenerHandle](driver.IOErrorNotFound)
	case h.doors[i].Err != nil:
		return component.Err[sdk.ListenerHandle](cause(h, h.doors[i].Err))
	case h.doors[i].handle != 0:
		return component.Err[sdk.ListenerHandle](driver.IOErrorBusy)
	}
	h.handles++
	h.doors[i].handle = sdk.ListenerHandle(h.handles)
	return component.OK[driver.IOError](h.doors[i].handle)
}

// door returns the listener behind a handle. The real host ends an instance that uses a stale one.
func (h *Host) door(l sdk.ListenerHandle) *Door {
	h.tb.Helper()
	i := slices.IndexFunc(h.doors, func(d *Door) bool { return d.handle == l && l != 0 })
	if i < 0 {
		h.tb.Fatalf("sdktest: the driver used listener %d, which is not open", l)
	}
	return h.doors[i]
}

// ListenerAccept implements sdk.Host.
func (h *Host) ListenerAccept(
	l sdk.ListenerHandle, timeout uint64,
) component.Result[component.Tuple2[sdk.StreamHandle, string], driver.IOError] {
	d := h.door(l)
	arrived := func() bool { return len(d.calls) > 0 && !d.calls[0].at.After(h.now) }
	if cause, ready := h.block(timeout, arrived); !ready {
		return component.Err[component.Tuple2[sdk.StreamHandle, string]](cause)
	}
	call := d.calls[0]
	d.calls = d.calls[1:]
	r := h.open(call.line.name, driver.ConnectionKindTCP)
	if r.Failed {
		return component.Err[component.Tuple2[sdk.StreamHandle, string]](r.Err)
	}
	return component.OK[driver.IOError](component.Tuple2[sdk.StreamHandle, string]{F0: r.Value, F1: call.peer})
}

// ListenerDrop implements sdk.Host.
func (h *Host) ListenerDrop(l sdk.ListenerHandle) { h.door(l).handle = 0 }
