package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

const (
	onTCP    = driver.ConnectionKindTCP
	onSerial = driver.ConnectionKindSerial
)

func TestReadsAllAreasInEveryMode(t *testing.T) {
	modes := []struct {
		name, settings string
		kind           driver.ConnectionKind
		tcp            bool
	}{
		{"tcp", `{}`, onTCP, true},
		{"rtu", `{}`, onSerial, false},
		{"rtu over tcp", `{"mode":"rtu-over-tcp"}`, onTCP, false},
	}
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			conf := newConfig(mode.kind, mode.settings).device(17, "").points("holding:100 uint16", "holding:102 uint32",
				"holding:104.3 boolean", "holding:105 uint16*3", "input:7 int16", "coil:9 boolean", "coil:10 boolean*3",
				"discrete:3 boolean", "holding:110/5 text")
			p := newPeer(mode.tcp, 17)
			p.units[17].registers = map[uint16]uint16{110: 0x4142, 111: 0x4344, 112: 0x4546}
			b := newBench(t, conf, p)
			b.run(t, 1500*time.Millisecond)
			for id, want := range []string{"100", "6684775", "true", "[105 106 107]", "7", "true", "[false false true]",
				"true", "ABCDE"} {
				b.expect(t, sdk.PointID(id+1), want+" "+want)
			}
			want := []string{"17 coil 9..12", "17 discrete 3..3", "17 holding 100..112", "17 input 7..7"}
			if want = append(want, want...); !slices.Equal(p.asked, want) {
				t.Errorf("asked %q, want %q", p.asked, want)
			}
			if n := len(b.Cycles()); n != 2 {
				t.Errorf("%d cycles published, want 2", n)
			}
			b.expectStatus(t, 1, driver.StatusOnline, "")
		})
	}
}

func TestOrders(t *testing.T) {
	conf := newConfig(onTCP, `{"order":"CDAB"}`).device(1, "").points("holding:1 uint32").
		device(2, `,"order":"DCBA"`).points("holding:1 uint32", "holding:5 uint16")
	conf.Points[2].Address = `{"area":"holding","offset":5,"order":"ABCD"}`
	b := newBench(t, conf, newPeer(true, 1, 2))
	b.run(t, 500*time.Millisecond)
	b.expect(t, 1, fmt.Sprint(0x00020001))
	b.expect(t, 2, fmt.Sprint(0x02000100))
	b.expect(t, 3, "5")
}

func TestPeriodsAndPhases(t *testing.T) {
	conf := newConfig(onTCP, ``).device(1, "").points("holding:1 uint16", "holding:2 uint16", "holding:3 uint16")
	conf.Points[1].Period, conf.Points[1].Phase = 2*time.Second, 500*time.Millisecond
	conf.Points[2].Period = 0
	b := newBench(t, conf, newPeer(true, 1))
	b.run(t, 4800*time.Millisecond)
	for id, want := range []int{5, 3, 0} {
		if got := len(b.Samples(sdk.PointID(id + 1))); got != want {
			t.Errorf("point %d: %d samples, want %d", id+1, got, want)
		}
	}
}

func TestRefusedBlockIsDividedAndRemembered(t *testing.T) {
	var points []string
	for i := range 40 {
		points = append(points, fmt.Sprintf("holding:%d uint16", i))
	}
	conf := newConfig(onTCP, ``).device(1, "").points(points...)
	p := newPeer(true, 1)
	p.units[1].refuse[13] = pdu.IllegalAddress
	b := newBench(t, conf, p)
	b.run(t, 2500*time.Millisecond)
	for i := range 40 {
		want := fmt.Sprintf("%d %d %d", i, i, i)
		if i == 13 {
			want = strings.TrimSuffix(strings.Repeat("!exception-2 ", 3), " ")
		}
		b.expect(t, sdk.PointID(i+1), want)
	}
	b.expectStatus(t, 1, driver.StatusDegraded, "holding 13..13: exception 2")
	second := b.requestsIn(t, 1)
	if third := b.requestsIn(t, 2); !slices.Equal(second, third) || len(second) > 8 {
		t.Errorf("asked %q, then %q: what was learned is not kept", second, third)
	}

	next := newBench(t, conf, p)
	next.SetState(b.State())
	p.asked = nil
	next.run(t, 500*time.Millisecond)
	if !slices.Equal(p.asked, second) {
		t.Errorf("the next session asked %q, want %q", p.asked, second)
	}
}

// requestsIn returns what was asked in a cycle, from 0, of one second.
func (b *bench) requestsIn(t *testing.T, cycle int) []string {
	t.Helper()
	first := b.peer.asked[len(b.peer.asked)-1]
	ends := []int{0}
	for i, asked := range b.peer.asked {
		if asked == first {
			ends = append(ends, i+1)
		}
	}
	if cycle+1 >= len(ends) {
		t.Fatalf("no cycle %d in %q", cycle, b.peer.asked)
	}
	return b.peer.asked[ends[cycle]:ends[cycle+1]]
}

func TestHolesAreDividedFirst(t *testing.T) {
	conf := newConfig(onTCP, ``).device(1, "").points("holding:0 uint16", "holding:4 uint16", "holding:5 uint16")
	p := newPeer(true, 1)
	p.units[1].refuse[2] = pdu.IllegalAddress
	b := newBench(t, conf, p)
	b.run(t, 500*time.Millisecond)
	if want := []string{"1 holding 0..5", "1 holding 0..0", "1 holding 4..5"}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
	b.expectStatus(t, 1, driver.StatusOnline, "")
}

func TestUnitWithASmallerLimitIsLearned(t *testing.T) {
	conf := newConfig(onTCP, ``).device(1, "").points("holding:0 uint16*60", "holding:60 uint16*60")
	p := newPeer(true, 1)
	p.units[1].most = 60
	b := newBench(t, conf, p)
	b.run(t, 1500*time.Millisecond)
	want := []string{"1 holding 0..119", "1 holding 0..59", "1 holding 60..119", "1 holding 0..59", "1 holding 60..119"}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

func TestBlockThatIsRefusedWholeStaysWhole(t *testing.T) {
	conf := newConfig(onTCP, ``).device(1, "").points("holding:0 uint16", "holding:1 uint16", "holding:2 uint16",
		"holding:3 uint16", "input:0 uint16")
	p := newPeer(true, 1)
	for i := range uint16(4) {
		p.units[1].refuse[i] = pdu.IllegalAddress
	}
	b := newBench(t, conf, p)
	b.After(3500*time.Millisecond, func() { clear(p.units[1].refuse) })
	b.run(t, 4500*time.Millisecond)
	b.expect(t, 1, "!exception-2 !exception-2 !exception-2 !exception-2 0")
	whole := 0
	for _, asked := range p.asked {
		if asked == "1 holding 0..3" {
			whole++
		}
	}
	// 7 in the first cycle: the whole, its halves, the points; then the whole alone.
	if holding := len(p.asked) - strings.Count(strings.Join(p.asked, ","), "input"); whole != 5 || holding != 7+4 {
		t.Errorf("asked %q", p.asked)
	}
	b.expectStatus(t, 1, driver.StatusOnline, "")
}

func TestExceptionsFailTheirBlockOnly(t *testing.T) {
	for e, reason := range map[pdu.Exception]string{1: "exception-1", 2: "exception-2", 3: "exception-3",
		4: "exception-4", 5: "exception-5", 6: "exception-6", 8: "exception-8", 77: "exception-other"} {
		t.Run(reason, func(t *testing.T) {
			conf := newConfig(onTCP, ``).device(1, "").points("holding:100 uint16", "holding:200 uint16")
			p := newPeer(true, 1)
			p.units[1].refuse[100] = e
			b := newBench(t, conf, p)
			b.After(1500*time.Millisecond, func() { clear(p.units[1].refuse) })
			b.run(t, 2500*time.Millisecond)
			b.expect(t, 1, "!"+reason+" !"+reason+" 100")
			b.expect(t, 2, "200 200 200")
			if b.line.Opened() != 1 {
				t.Errorf("opened %d times", b.line.Opened())
			}
			b.expectStatus(t, 1, driver.StatusOnline, "")
		})
	}
}

func TestSilentUnitTakesNoTimeOfOthers(t *testing.T) {
	conf := newConfig(onSerial, `{"timeout":"300ms"}`).
		device(1, "").points("holding:1 uint16").
		device(2, "").points("holding:2 uint16", "input:2 uint16", "coil:2 boolean").
		device(3, "").points("holding:3 uint16")
	for i := range conf.Points {
		conf.Points[i].Period = 200 * time.Millisecond
	}
	p := newPeer(false, 1, 2, 3)
	p.units[2].silent = true
	b := newBench(t, conf, p)
	b.run(t, 30*time.Second)

	if got := strings.Count(strings.Join(p.asked, ","), "2 "); got > 3+4 {
		t.Errorf("the silent unit was asked %d times in 30 s", got)
	}
	for _, id := range []sdk.PointID{1, 5} {
		if got := len(b.Samples(id)); got < 130 {
			t.Errorf("point %d: %d of 150 samples", id, got)
		}
	}
	if told := b.told(3); strings.Trim(strings.ReplaceAll(told, "!io.timeout", ""), " ") != "" || told == "" {
		t.Errorf("point 3: %s", told)
	}
	b.expectStatus(t, 1, driver.StatusOnline, "")
	b.expectStatus(t, 2, driver.StatusOffline, "no reply")
	if n, _ := b.Gauge(2, "timeouts"); n < 3 {
		t.Errorf("timeouts %v", n)
	}
}

func TestAnswersDoNotWaitForASilentUnit(t *testing.T) {
	conf := newConfig(onTCP, `{"timeout":"300ms","offline_after":10}`).
		device(2, "").points("holding:2 uint16").
		device(1, "").points("holding:1 uint16")
	p := newPeer(true, 1, 2)
	p.units[2].silent = true
	b := newBench(t, conf, p)
	b.run(t, 1900*time.Millisecond)
	var got []string
	for _, c := range b.Cycles() {
		for _, s := range c.Samples {
			got = append(got, fmt.Sprintf("%d at %v", s.Point, c.At))
		}
	}
	// In the first cycle nobody knows of the silence. In the second the unit that answers is read and told first.
	want := []string{"1 at 302ms", "2 at 302ms", "2 at 1.002s", "1 at 1.302s"}
	if !slices.Equal(got, want) {
		t.Errorf("published %q, want %q", got, want)
	}
}

func TestSilenceOfOneUnitDoesNotCloseTheConnection(t *testing.T) {
	conf := newConfig(onTCP, `{"timeout":"10ms","offline_after":1000,"close_after_timeouts":2}`).
		device(2, "").points("holding:2 uint16").
		device(1, "").points("holding:1 uint16")
	p := newPeer(true, 1, 2)
	p.units[2].silent = true
	b := newBench(t, conf, p)
	b.run(t, 30*time.Second)
	if n := len(b.Samples(2)); n != 30 {
		t.Errorf("%d samples of the unit that answers, want 30", n)
	}
}

// A unit may be silent about one block for ever: the others are read in every cycle.
func TestBlockThatIsNeverAnsweredLeavesTheOthersAlone(t *testing.T) {
	for _, mute := range []pdu.Area{pdu.Holding, pdu.Input} {
		conf := newConfig(onSerial, `{"timeout":"100ms"}`).device(1, "").points("holding:1 uint16", "input:2 uint16")
		p := newPeer(false, 1)
		p.units[1].mute = mute
		b := newBench(t, conf, p)
		b.run(t, 5500*time.Millisecond)
		never, always := sdk.PointID(1), sdk.PointID(2)
		if mute == pdu.Input {
			never, always = always, never
		}
		b.expect(t, never, strings.TrimSpace(strings.Repeat("!io.timeout ", 6)))
		b.expect(t, always, strings.TrimSpace(strings.Repeat(fmt.Sprint(always, " "), 6)))
		b.expectStatus(t, 1, driver.StatusDegraded, "no reply")
	}
}

// A unit that was offline comes back although its first block is never answered.
func TestProbeTurnsThroughTheBlocks(t *testing.T) {
	conf := newConfig(onSerial, `{"timeout":"100ms","offline_retry":"1s","offline_retry_max":"1s"}`).device(1, "").
		points("holding:1 uint16", "input:2 uint16")
	p := newPeer(false, 1)
	p.units[1].silent, p.units[1].mute = true, pdu.Holding
	b := newBench(t, conf, p)
	b.After(5200*time.Millisecond, func() { p.units[1].silent = false })
	b.run(t, 12*time.Second)
	if told := b.told(2); !strings.HasSuffix(told, "2 2 2") {
		t.Errorf("point 2: %s", told)
	}
}

func TestOfflineUnitComesBack(t *testing.T) {
	conf := newConfig(onSerial, `{"timeout":"100ms","offline_retry":"2s"}`).device(1, "").
		points("holding:1 uint16", "input:1 uint16")
	p := newPeer(false, 1)
	p.units[1].silent = true
	b := newBench(t, conf, p)
	b.After(5200*time.Millisecond, func() { p.units[1].silent = false })
	b.run(t, 10500*time.Millisecond)
	// Asked twice at 0 s and once at 1 s, which makes it offline, then once at 4 s, 2 s later, and at 9 s, 4 s later.
	b.expect(t, 1, strings.Repeat("!io.timeout ", 9)+"1 1")
	if got := len(p.asked); got != 2+1+1+2+2 {
		t.Errorf("asked %q", p.asked)
	}
	b.expectStatus(t, 1, driver.StatusOnline, "")
}

func TestUnitBehindAGatewayIsUnreachable(t *testing.T) {
	conf := newConfig(onTCP, `{"close_after_timeouts":3}`).device(1, "").points("holding:1 uint16", "input:1 uint16").
		device(2, "").points("holding:2 uint16")
	p := newPeer(true, 1, 2)
	p.units[1].refuseAll = pdu.GatewayTargetSilent
	b := newBench(t, conf, p)
	b.run(t, 4500*time.Millisecond)
	b.expect(t, 1, "!exception-11 !exception-11 !exception-11 !exception-11 !exception-11")
	b.expect(t, 2, "!exception-11 !exception-11 !exception-11 !exception-11 !exception-11")
	b.expect(t, 3, "2 2 2 2 2")
	b.expectStatus(t, 1, driver.StatusOffline, "exception 11")
	if got := strings.Count(strings.Join(p.asked, ","), "1 holding") + strings.Count(strings.Join(p.asked, ","), "1 input"); got != 3 {
		t.Errorf("asked unit 1 %d times, want 3", got)
	}
	if n, _ := b.Gauge(1, "exceptions"); n != 0 {
		t.Errorf("figures reported before their time: %v", n)
	}
}

func TestFigures(t *testing.T) {
	conf := newConfig(onSerial, ``).device(1, "").points("holding:1 uint16")
	p := newPeer(false, 1)
	p.latency = 20 * time.Millisecond
	p.fault = func(n int, _ uint8, reply []byte) []sdktest.Reply {
		if n == 2 {
			reply[4] ^= 1
		}
		return []sdktest.Reply{{After: p.latency, Data: reply}}
	}
	b := newBench(t, conf, p)
	b.run(t, 10500*time.Millisecond)
	for name, want := range map[string]float64{"requests": 12, "crc_errors": 1, "timeouts": 0, "exceptions": 0,
		"bytes_sent": 12 * 8, "bytes_received": 12 * 7} {
		if got, ok := b.Gauge(1, name); got != want || !ok {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, want)
		}
	}
	if got, _ := b.Gauge(1, "round_trip_seconds"); got < 0.02 || got > 0.03 {
		t.Errorf("round trip %v s", got)
	}
	if got, _ := b.Gauge(1, "bus_duty_cycle"); got < 0.02 || got > 0.04 {
		t.Errorf("duty cycle %v", got)
	}
}

func TestPauses(t *testing.T) {
	conf := newConfig(onTCP, `{"pause":"50ms","connect_pause":"300ms"}`).device(1, "").
		points("holding:1 uint16", "input:1 uint16", "coil:1 boolean")
	p := newPeer(true, 1)
	var b *bench
	var at []time.Duration
	p.fault = func(_ int, _ uint8, reply []byte) []sdktest.Reply {
		at = append(at, b.Elapsed())
		return []sdktest.Reply{{After: 2 * time.Millisecond, Data: reply}}
	}
	b = newBench(t, conf, p)
	b.run(t, 900*time.Millisecond)
	want := []time.Duration{300 * time.Millisecond, 352 * time.Millisecond, 404 * time.Millisecond}
	if !slices.Equal(at, want) {
		t.Errorf("asked at %v, want %v", at, want)
	}
}
