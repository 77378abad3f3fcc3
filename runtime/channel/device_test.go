package channel

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
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

func TestDeviceStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := parts(t, twoDevices()...)
		pump := s.channel.devices[0]
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
	before := s.channel.devices[1].state.Gauges
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
	if gauges := s.channel.devices[1].state.Gauges; len(gauges) != 32 || gauges["crc_errors"] != 3 {
		t.Errorf("%d gauges: %v", len(gauges), gauges)
	}
	out.take()
	s.Gauges(t.Context(), 2, []component.Tuple2[string, float64]{figure("x", 1)})
	out.expect(t)
}
