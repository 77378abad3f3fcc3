package client

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// write gives the driver a write of values to the points from 1 on, after the first poll, and returns its id.
func (b *bench) write(timeout time.Duration, values ...sdk.Value) uint64 {
	var list []driver.WriteRequest
	for i, v := range values {
		list = append(list, driver.WriteRequest{Point: sdk.PointID(i + 1), Value: v})
	}
	return b.Command(driver.RequestWrite(list), timeout)
}

// results returns the answer to a write in short: "ok", or the error.
func (b *bench) results(id uint64) []string {
	a, ok := b.Answer(id)
	if !ok || a.Failed {
		return []string{fmt.Sprintf("answered %v, failed %v", ok, a.Failed)}
	}
	var out []string
	for _, r := range a.Value.Write() {
		if !r.Failed {
			out = append(out, "ok")
			continue
		}
		out = append(out, shortError(r.Err))
	}
	return out
}

func shortError(e driver.CommandError) string {
	switch e.Tag() {
	case driver.CommandErrorTagRefused:
		return "refused " + e.Refused().F0
	case driver.CommandErrorTagNotSent:
		return "not sent " + e.NotSent().String()
	case driver.CommandErrorTagUnknown:
		return "unknown " + e.Unknown().String()
	}
	return e.Tag().String()
}

func TestWriteRequests(t *testing.T) {
	u16, on := sdk.Unsigned(0x1234), sdk.Boolean(true)
	tests := []struct {
		name, device, point string
		value               sdk.Value
		// want are the requests, without reads in the poll.
		want []string
	}{
		{"register", "", "holding:16 uint16 w", u16, []string{"0600101234"}},
		{"register by function 16", `,"register_writes":"multiple"`, "holding:16 uint16 w", u16, []string{"100010000102" + "1234"}},
		{"two registers", "", "holding:16 float32 w", sdk.Float32(1), []string{"100010000204" + "3F800000"}},
		{"two registers one by one", `,"register_writes":"single","order":"CDAB"`, "holding:16 float32 w", sdk.Float32(1),
			[]string{"0600100000", "0600113F80"}},
		{"coil", "", "coil:16 boolean w", on, []string{"050010FF00"}},
		{"coil off", "", "coil:16 boolean w", sdk.Boolean(false), []string{"0500100000"}},
		{"coil by function 15", `,"coil_writes":"multiple"`, "coil:16 boolean w", on, []string{"0F0010000101" + "01"}},
		{"coils", "", "coil:16 boolean*9 w", sdk.Booleans([]bool{true, false, true, false, false, false, false, false, true}),
			[]string{"0F0010000902" + "0501"}},
		{"coils one by one", `,"coil_writes":"single"`, "coil:16 boolean*2 w", sdk.Booleans([]bool{false, true}),
			[]string{"0500100000", "050011FF00"}},
		{"list", "", "holding:1 int16*3 w", sdk.Signeds([]int64{-1, 2, -32768}), []string{"100001000306" + "FFFF00028000"}},
		{"text", "", "holding:1/6 text w", sdk.Text("ABC"), []string{"100001000306" + "414243000000"}},
		{"bit", "", "holding:16.3 boolean w", on, []string{"holding 16..16", "0600100018"}},
		{"bit by mask", `,"mask_write":true`, "holding:16.3 boolean w", on, []string{"160010FFF70008"}},
		{"bit off by mask", `,"mask_write":true`, "holding:16.3 boolean w", sdk.Boolean(false), []string{"160010FFF70000"}},
		{"bits over two registers by mask", `,"mask_write":true`, "holding:16.15 boolean*2 w", sdk.Booleans([]bool{true, false}),
			[]string{"1600107FFF8000", "160011FFFE0000"}},
		{"low byte", "", "holding:4660 uint8 w", sdk.Unsigned(0xAB), []string{"holding 4660..4660", "06123412AB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(true, 1)
			b := newBench(t, newConfig(onTCP, ``).device(1, tt.device).points(tt.point), p)
			var id uint64
			b.After(10*time.Millisecond, func() { id = b.write(time.Second, tt.value) })
			b.run(t, 500*time.Millisecond)
			if diff := cmp.Diff([]string{"ok"}, b.results(id)); diff != "" {
				t.Error(diff)
			}
			var want []string
			for _, w := range tt.want {
				want = append(want, "1 "+w)
			}
			if diff := cmp.Diff(want, p.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWriteAndReadBack writes every type in every order in every mode and reads it back by a poll.
func TestWriteAndReadBack(t *testing.T) {
	points := []string{
		"holding:0 int8 rw", "holding:1 uint8 rw", "holding:2 int16 rw", "holding:3 uint16 rw", "holding:4 int32 rw",
		"holding:6 uint32 rw", "holding:8 float32 rw", "holding:10/5 text rw", "holding:13.4 boolean rw",
		"holding:14 uint32*3 rw", "coil:1 boolean rw", "coil:2 boolean*11 rw", "holding:13.5 boolean rw",
	}
	values := []sdk.Value{
		sdk.Signed(-7), sdk.Unsigned(200), sdk.Signed(-12345), sdk.Unsigned(54321), sdk.Signed(math.MinInt32),
		sdk.Unsigned(math.MaxUint32), sdk.Float32(21.5), sdk.Text("°C m"), sdk.Boolean(true),
		sdk.Unsigneds([]uint64{1, 1 << 31, 77777}), sdk.Boolean(true),
		sdk.Booleans([]bool{true, true, false, false, true, true, false, true, false, true, true}), sdk.Boolean(true),
	}
	const want = "-7|200|-12345|54321|-2147483648|4294967295|21.5|°C m|true|[1 2147483648 77777]|true|" +
		"[true true false false true true false true false true true]|true"
	for _, settings := range []string{
		`{}`, `{"order":"CDAB"}`, `{"order":"BADC","mask_write":true}`, `{"order":"DCBA","register_writes":"single"}`,
	} {
		for _, kind := range []driver.ConnectionKind{onTCP, onSerial} {
			for _, echoes := range []bool{false, true} {
				if echoes && kind == onTCP {
					continue
				}
				t.Run(fmt.Sprint(settings, kind, echoes), func(t *testing.T) {
					p := newPeer(kind == onTCP, 1)
					p.echoes = echoes
					b := newBench(t, newConfig(kind, settings).device(1, "").points(points...), p)
					for i := range b.conf.Points {
						b.conf.Points[i].Phase = 900 * time.Millisecond // so that nothing but a write has told of echoes
					}
					id := b.write(time.Minute, values...)
					b.run(t, 3*time.Second)
					if got := b.results(id); slices.ContainsFunc(got, func(r string) bool { return r != "ok" }) {
						t.Fatalf("write: %q", got)
					}
					for i, v := range strings.Split(want, "|") {
						if told := b.told(sdk.PointID(i + 1)); !strings.HasPrefix(told+" ", v+" ") {
							t.Errorf("%s: %s, want %s", points[i], told, v)
						}
					}
				})
			}
		}
	}
}

// TestWriteFails has what a caller hears of each way in which a write can end.
func TestWriteFails(t *testing.T) {
	nothing := func(int, uint8, []byte) []sdktest.Reply { return nil }
	at := func(n int, f func(n int, unit uint8, reply []byte) []sdktest.Reply) func(int, uint8, []byte) []sdktest.Reply {
		return func(k int, unit uint8, reply []byte) []sdktest.Reply {
			if k == n {
				return f(k, unit, reply)
			}
			return []sdktest.Reply{{After: time.Millisecond, Data: reply}}
		}
	}
	refusing := func(e pdu.Exception) func(p *peer, b *bench) {
		return func(p *peer, _ *bench) { p.units[1].refuse[16] = e }
	}
	tests := []struct {
		name, point string
		timeout     time.Duration
		arrange     func(p *peer, b *bench)
		want        string
		lost        bool
	}{
		{"exception 2", "holding:16 uint16 w", time.Second, refusing(pdu.IllegalAddress), "refused exception-2", false},
		{"exception 4", "holding:16 uint16 w", time.Second, refusing(pdu.DeviceFailure), "refused exception-4", false},
		{"exception of no specification", "holding:16 uint16 w", time.Second, refusing(99), "refused exception-other", false},
		{"gateway without a path", "holding:16 uint16 w", time.Second, refusing(pdu.GatewayPath), "not sent unreachable", false},
		{"gateway without an answer", "holding:16 uint16 w", time.Second, refusing(pdu.GatewayTargetSilent), "unknown timeout", false},
		{"no answer", "holding:16 uint16 w", 2 * time.Second, func(p *peer, _ *bench) { p.fault = nothing }, "unknown timeout", false},
		{"no answer within the caller's time", "holding:16 uint16 w", 100 * time.Millisecond,
			func(p *peer, _ *bench) { p.fault = nothing }, "unknown timeout", false},
		{"no answer to the read before", "holding:16.3 boolean w", time.Second,
			func(p *peer, _ *bench) { p.fault = nothing }, "not sent timeout", false},
		{"exception to the read before", "holding:16.3 boolean w", time.Second, refusing(pdu.IllegalAddress),
			"refused exception-2", false},
		{"answer of another write", "holding:16 uint16 w", time.Second, func(p *peer, _ *bench) {
			p.fault = at(1, func(_ int, _ uint8, reply []byte) []sdktest.Reply {
				reply[len(reply)-1] ^= 1
				return []sdktest.Reply{{Data: reply}}
			})
		}, "unknown other", false},
		{"connection lost before the answer", "holding:16 uint16 w", time.Second, func(p *peer, _ *bench) {
			p.fault = at(1, func(int, uint8, []byte) []sdktest.Reply { return []sdktest.Reply{{Err: sdk.ErrReset}} })
		}, "unknown reset", true},
		{"send cut", "holding:16 uint16 w", time.Second, func(_ *peer, b *bench) { b.line.WriteErr = sdk.ErrTimeout },
			"unknown timeout", true},
		{"second register refused", "holding:15 uint16*3 w", time.Second, refusing(pdu.IllegalValue), "refused exception-3", false},
		{"second register without an answer", "holding:15 uint16*3 w", time.Second,
			func(p *peer, _ *bench) { p.fault = at(2, nothing) }, "unknown timeout", false},
		{"too long a text", "holding:1/2 text w", time.Second, func(*peer, *bench) {}, "invalid", false},
		{"another type", "holding:1 float64 w", time.Second, func(*peer, *bench) {}, "invalid", false},
		{"read only", "holding:1 uint16", time.Second, func(*peer, *bench) {}, "invalid", false},
	}
	values := map[string]sdk.Value{
		"holding:16.3 boolean w": sdk.Boolean(true), "holding:15 uint16*3 w": sdk.Unsigneds([]uint64{1, 2, 3}),
		"holding:1/2 text w": sdk.Text("ABC"),
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(true, 1)
			conf := newConfig(onTCP, `{"register_writes":"single"}`).device(1, "").points(tt.point)
			conf.Points[0].Period = 0
			b := newBench(t, conf, p)
			tt.arrange(p, b)
			v, ok := values[tt.point]
			if !ok {
				v = sdk.Unsigned(7)
			}
			var id uint64
			b.After(10*time.Millisecond, func() { id = b.write(tt.timeout, v) })
			b.After(5*time.Second, b.Stop)
			_, err := b.Run(Driver{}, b.conf.Config)
			if (err != nil) != tt.lost {
				t.Errorf("the session ended with %v", err)
			}
			if diff := cmp.Diff([]string{tt.want}, b.results(id)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWritesEndWithTheConnection holds that what comes behind a lost connection is told to be unsent.
func TestWritesEndWithTheConnection(t *testing.T) {
	p := newPeer(true, 1)
	p.fault = func(n int, _ uint8, reply []byte) []sdktest.Reply {
		if n == 2 {
			return []sdktest.Reply{{Err: sdk.ErrClosed}}
		}
		return []sdktest.Reply{{Data: reply}}
	}
	b := newBench(t, newConfig(onTCP, ``).device(1, "").points("holding:1 uint16 w", "holding:2 uint16 w", "holding:3 uint16 w"), p)
	var id uint64
	b.After(time.Millisecond, func() { id = b.write(time.Second, sdk.Unsigned(1), sdk.Unsigned(2), sdk.Unsigned(3)) })
	expectIO(t, b.failure(t), "run", driver.IOErrorClosed)
	if diff := cmp.Diff([]string{"ok", "unknown closed", "not sent closed"}, b.results(id)); diff != "" {
		t.Error(diff)
	}
}

// TestEchoIsNoAnswer writes to a silent unit on a line that gives back what is sent.
func TestEchoIsNoAnswer(t *testing.T) {
	p := newPeer(false, 1)
	p.echoes, p.units[1].silent = true, true
	b := newBench(t, newConfig(onSerial, `{"timeout":"100ms"}`).device(1, "").points("holding:16 uint16 w"), p)
	var unheard, unanswered uint64
	b.After(time.Millisecond, func() { unheard = b.write(time.Second, sdk.Unsigned(1)) })
	b.After(time.Second, func() {
		p.units[1].silent = false
		p.units[1].canned[6] = func([]byte) []byte { return nil }
		unanswered = b.write(time.Second, sdk.Unsigned(1))
	})
	b.run(t, 3*time.Second)
	if got := b.results(unheard); got[0] != "not sent timeout" {
		t.Errorf("nothing known of the line: %q", got)
	}
	if got := b.results(unanswered); got[0] != "unknown timeout" {
		t.Errorf("echo alone: %q after %q", got, p.asked)
	}
	b.expectStatus(t, 1, driver.StatusDegraded, "no reply")
}

// TestBroadcast writes to all units of a line, and has the next request wait for them.
func TestBroadcast(t *testing.T) {
	p := newPeer(false, 1, 2)
	conf := newConfig(onSerial, `{"turnaround":"200ms"}`).device(0, "").points("holding:5 uint16 w").
		device(1, "").points("holding:5 uint16")
	conf.Points[1].Phase = 10 * time.Millisecond
	b := newBench(t, conf, p)
	id := b.write(time.Second, sdk.Unsigned(99))
	b.run(t, 500*time.Millisecond)
	if got := b.results(id); got[0] != "ok" {
		t.Errorf("write: %q", got)
	}
	b.expect(t, 2, "99")
	if at := b.Cycles()[0].At; at < 200*time.Millisecond || at > 300*time.Millisecond {
		t.Errorf("the next answer came after %v", at)
	}
	if p.units[2].registers[5] != 99 {
		t.Error("unit 2 did not hear it")
	}
	b.expectStatus(t, 1, driver.StatusOnline, "")
}

// TestCommandsGoBetweenTheRequestsOfACycle holds that a command waits for one request, not for the cycle.
func TestCommandsGoBetweenTheRequestsOfACycle(t *testing.T) {
	p := newPeer(true, 1)
	p.latency = 100 * time.Millisecond
	conf := newConfig(onTCP, `{"gap":0}`).device(1, "").points("holding:16 uint16 rw")
	for i := range 20 {
		conf.points(fmt.Sprintf("input:%d uint16", 10*i))
	}
	b := newBench(t, conf, p)
	for i := range conf.Points {
		conf.Points[i].Period = 10 * time.Second
	}
	var write, read uint64
	b.After(450*time.Millisecond, func() {
		write = b.write(time.Second, sdk.Unsigned(5))
		read = b.Command(driver.RequestRead([]sdk.PointID{1}), time.Second)
	})
	b.run(t, 9*time.Second)
	if got := b.results(write); got[0] != "ok" {
		t.Errorf("write: %q", got)
	}
	if a, ok := b.Answer(read); !ok || a.Failed || short(a.Value.Read()[0]) != "5" {
		t.Errorf("read: %v, %+v", ok, a)
	}
	if i := slices.Index(p.asked, "1 0600100005"); i != 5 {
		t.Errorf("the write was request %d of %d: %q", i, len(p.asked), p.asked)
	}
	if n := len(b.Cycles()); n != 1 || len(b.Cycles()[0].Samples) != 21 {
		t.Errorf("%d messages: a command splits a cycle", n)
	}
}
