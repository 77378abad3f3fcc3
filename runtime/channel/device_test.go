package channel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/supervise"
)

// TestLost: after a failure each point that can be read is told once as bad, and each device as offline.
func TestLost(t *testing.T) {
	s, out := parts(t, twoDevices()...)
	s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueUnsigned(7))})
	s.DeviceStatus(t.Context(), 0, driver.StatusOnline, "")
	out.take()
	s.channel.lost("io.closed", time.Now())
	out.expect(t,
		"data pump 2 count=null:bad:io.closed text=null:bad:io.closed", `device pump offline "io.closed" map[]`,
		"data meter 1 on=null:bad:io.closed", `device meter offline "io.closed" map[]`)
	s.channel.lost("io.closed", time.Now())
	out.expect(t)
	s.channel.lost("io.refused", time.Now()) // the next attempt: the points are lost already
	out.expect(t, `device pump offline "io.refused" map[]`, `device meter offline "io.refused" map[]`)
	s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueUnsigned(8))})
	s.channel.lost("io.closed", time.Now())
	out.expect(t, "data pump 3 count=8",
		"data pump 4 count=null:bad:io.closed", `device pump offline "io.closed" map[]`, `device meter offline "io.closed" map[]`)
}

// TestLostIsRepeated at the shortest heartbeat of the points, until a session serves them again.
func TestLostIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		devices := twoDevices()
		devices[0].Points[0].Heartbeat = time.Minute
		devices[0].Points[2].Heartbeat = time.Second // written only: nothing to repeat
		devices[1].Points[0].Heartbeat = 90 * time.Second
		s, out := parts(t, devices...)
		o := (*observer)(s.channel)
		o.Published(1, &handle{by: s.by, commands: s.commands})
		s.channel.lost("io.closed", time.Now())
		out.take()
		for range 4 {
			pass(time.Minute)
			synctest.Wait()
		}
		out.expect(t, "data pump 2 count=null:bad:io.closed",
			"data pump 3 count=null:bad:io.closed", "data meter 2 on=null:bad:io.closed",
			"data pump 4 count=null:bad:io.closed",
			"data pump 5 count=null:bad:io.closed", "data meter 3 on=null:bad:io.closed")
		s.channel.lost("io.refused", time.Now()) // another attempt has failed: nothing is due
		out.take()
		pass(time.Minute)
		synctest.Wait()
		out.expect(t, "data pump 6 count=null:bad:io.refused")
		o.Published(2, &handle{by: s.by, commands: s.commands})
		pass(time.Hour)
		synctest.Wait()
		out.expect(t)
	})
}

// TestEndsWithoutFailure: a stop and a requested reconnect tell what a failure does; a swap tells nothing.
func TestEndsWithoutFailure(t *testing.T) {
	tests := []struct {
		state  supervise.State
		parked bool
		code   string
	}{
		{supervise.Stopped, false, "stopped"},
		{supervise.Reconnecting, false, "reconnecting"},
		{supervise.Connecting, false, "reconnecting"},
		{supervise.Connected, false, ""},
		{supervise.Connected, true, ""},
	}
	for _, tt := range tests {
		s, out := parts(t, twoDevices()...)
		o := (*observer)(s.channel)
		o.State(supervise.Snapshot{State: supervise.Stopped}) // nothing was served yet
		out.expect(t)
		o.Published(1, &handle{by: s.by, commands: s.commands})
		if tt.parked {
			o.Parked(1)
		}
		o.State(supervise.Snapshot{State: tt.state})
		if tt.code == "" {
			out.expect(t)
			continue
		}
		reason := fmt.Sprintf("%q", tt.code)
		out.expect(t,
			"data pump 1 count=null:bad:channel."+tt.code+" text=null:bad:channel."+tt.code, "device pump offline "+reason+" map[]",
			"data meter 1 on=null:bad:channel."+tt.code, "device meter offline "+reason+" map[]")
		o.State(supervise.Snapshot{State: supervise.Stopped})
		out.expect(t)
	}
}

// TestPointBatches: each point has a batch of its own, and the device one count of them.
func TestPointBatches(t *testing.T) {
	s, out := parts(t, twoDevices()...)
	s.edition().PointBatches = true
	s.Publish(t.Context(), []driver.Sample{good(0, driver.ValueUnsigned(7)), good(1, driver.ValueText("a")), good(3, driver.ValueBoolean(true))})
	s.channel.lost("io.closed", time.Now())
	var data []string
	for _, line := range out.take() {
		if strings.HasPrefix(line, "data") {
			data = append(data, line)
		}
	}
	want := []string{
		"data pump.count 1 count=7", "data pump.text 2 text=\"a\"", "data meter.on 1 on=true",
		"data pump.count 3 count=null:bad:io.closed", "data pump.text 4 text=null:bad:io.closed", "data meter.on 2 on=null:bad:io.closed",
	}
	if !slices.Equal(data, want) {
		t.Errorf("said %q, want %q", data, want)
	}
}

func TestDeviceStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := parts(t, twoDevices()...)
		pump := s.edition().devices[0]
		begin := time.Now()
		set := func(status driver.Status, reason string) { s.DeviceStatus(t.Context(), 0, status, reason) }
		set(driver.StatusOffline, "") // the first is told, although it is what a device begins with
		out.expect(t, `device pump offline "" map[]`)
		set(driver.StatusOnline, "")
		set(driver.StatusOnline, "")
		out.expect(t, `device pump online "" map[]`)
		pass(time.Second)
		set(driver.StatusDegraded, "slow")
		pass(time.Second)
		set(driver.StatusDegraded, "slower")
		out.expect(t, `device pump degraded "slow" map[]`, `device pump degraded "slower" map[]`)
		if since := pump.state.Since.Sub(begin); since != time.Second {
			t.Errorf("degraded since %v: another reason is no other status", since)
		}
		s.DeviceStatus(t.Context(), 2, driver.StatusOnline, "")
		s.DeviceStatus(t.Context(), math.MaxUint32, driver.StatusOnline, "")
		out.expect(t)
	})
}

func figure(name string, v float64) component.Tuple2[string, float64] {
	return component.Tuple2[string, float64]{F0: name, F1: v}
}

func TestGauges(t *testing.T) {
	s, out := parts(t, twoDevices()...)
	set := func(figures ...component.Tuple2[string, float64]) { s.Gauges(t.Context(), 1, figures) }
	set(figure("crc_errors", 1), figure("round_trip", 0.5))
	before := s.edition().devices[1].state.Gauges
	set(figure("crc_errors", 2))
	out.expect(t, `device meter offline "" map[crc_errors:1 round_trip:0.5]`, `device meter offline "" map[crc_errors:2 round_trip:0.5]`)
	if before["crc_errors"] != 1 {
		t.Error("what was told has changed afterwards")
	}
	set(figure("Upper", 1), figure("with space", 1), figure("", 1), figure("ü", 1), figure(strings.Repeat("x", 65), 1))
	out.expect(t, `device meter offline "" map[crc_errors:2 round_trip:0.5]`)
	for i := range 40 {
		set(figure(fmt.Sprint("g", i), 0))
	}
	set(figure("crc_errors", 3))
	if gauges := s.edition().devices[1].state.Gauges; len(gauges) != 32 || gauges["crc_errors"] != 3 {
		t.Errorf("%d gauges: %v", len(gauges), gauges)
	}
	out.take()
	s.Gauges(t.Context(), 2, []component.Tuple2[string, float64]{figure("x", 1)})
	out.expect(t)
}
