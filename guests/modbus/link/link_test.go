package link

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/mbap"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

const (
	unit    = 0x11
	timeout = 500 * time.Millisecond
	ms      = time.Millisecond
)

var request = pdu.Read{Area: pdu.Holding, Start: 0x6B, Count: 3}

// The frames of a serial line.
const (
	echo      = "1103006B00037687"
	reply     = "110306022B00000064C8BA"
	damaged   = "110306022B00000065C8BA"
	exception = "118302C134"
	foreign   = "2203060001000200037045"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// chunk is a reply after some time.
func chunk(t testing.TB, after time.Duration, frame string) sdktest.Reply {
	return sdktest.Reply{After: after, Data: unhex(t, frame)}
}

// bytewise is a frame a byte at a time.
func bytewise(t testing.TB, every time.Duration, frame string) (out []sdktest.Reply) {
	for i, b := range unhex(t, frame) {
		out = append(out, sdktest.Reply{After: time.Duration(i+1) * every, Data: []byte{b}})
	}
	return out
}

// open opens a line with a device at its end.
func open(t testing.TB, kind driver.ConnectionKind, d sdktest.Device) (*sdktest.Host, *sdktest.Line, *sdk.Stream) {
	t.Helper()
	host := sdktest.New(t)
	line := host.Connect("main", kind, d)
	ctx := host.Context(sdk.Config{Connections: []sdk.Connection{{Name: "main", Kind: kind}}})
	stream, err := ctx.Open("main")
	if err != nil {
		t.Fatal(err)
	}
	return host, line, stream
}

// replies is a device that answers requests with these, one after the other.
func replies(script ...[]sdktest.Reply) sdktest.Device {
	n := 0
	return func([]byte) []sdktest.Reply {
		if n == len(script) {
			return nil
		}
		n++
		return script[n-1]
	}
}

func expect(t *testing.T, response []byte, err error, want string, fault error) {
	t.Helper()
	if !errors.Is(err, fault) || fault == nil && err != nil || !bytes.Equal(response, unhex(t, want)) {
		t.Errorf("got %X, %v, want %s, %v", response, err, want, fault)
	}
}

func TestRTU(t *testing.T) {
	const response, refusal = "0306022B00000064", "8302"
	tests := []struct {
		name    string
		replies []sdktest.Reply
		want    string
		fault   error
		// within is the longest time that the exchange may take, behind the first silence.
		within time.Duration
	}{
		{"reply", []sdktest.Reply{chunk(t, 20*ms, reply)}, response, nil, 20 * ms},
		{"exception is not waited for longer", []sdktest.Reply{chunk(t, 20*ms, exception)}, refusal, nil, 20 * ms},
		{"one byte every 5 ms", bytewise(t, 5*ms, reply), response, nil, 55 * ms},
		{"exception, one byte every 5 ms", bytewise(t, 5*ms, exception), refusal, nil, 25 * ms},
		{"in two pieces", []sdktest.Reply{chunk(t, 10*ms, reply[:8]), chunk(t, 60*ms, reply[8:])}, response, nil, 60 * ms},
		{"echo, then reply", []sdktest.Reply{chunk(t, ms, echo), chunk(t, 20*ms, reply)}, response, nil, 20 * ms},
		{"echo and reply at once", []sdktest.Reply{chunk(t, 20*ms, echo+reply)}, response, nil, 20 * ms},
		{"noise, then reply", []sdktest.Reply{chunk(t, 5*ms, "FF00A5"), chunk(t, 20*ms, reply)}, response, nil, 20 * ms},
		{"noise at the reply", []sdktest.Reply{chunk(t, 20*ms, "FF1103"+reply)}, response, nil, 20 * ms},
		{"foreign unit, then reply", []sdktest.Reply{chunk(t, 5*ms, foreign), chunk(t, 400*ms, reply)}, response, nil,
			400 * ms},
		{"late, within the time of the line", []sdktest.Reply{chunk(t, 510*ms, reply)}, response, nil, 510 * ms},
		{"nothing", nil, "", Silent, 540 * ms},
		{"echo alone", []sdktest.Reply{chunk(t, ms, echo)}, "", Silent, 540 * ms},
		{"wrong check", []sdktest.Reply{chunk(t, 20*ms, damaged)}, "", BadCRC, 30 * ms},
		{"wrong check, then a good one", []sdktest.Reply{chunk(t, 20*ms, damaged), chunk(t, 22*ms, reply)}, response, nil,
			22 * ms},
		{"wrong check, then a good one in pieces", []sdktest.Reply{chunk(t, 20*ms, damaged), chunk(t, 22*ms, reply[:8]),
			chunk(t, 60*ms, reply[8:])}, response, nil, 60 * ms},
		{"short reply", []sdktest.Reply{chunk(t, 20*ms, reply[:14])}, "", BadFrame, 540 * ms},
		{"foreign unit", []sdktest.Reply{chunk(t, 20*ms, foreign)}, "", BadFrame, 540 * ms},
		{"another function", []sdktest.Reply{chunk(t, 20*ms, "110402000AF8F4")}, "", BadFrame, 540 * ms},
		{"endless noise", []sdktest.Reply{chunk(t, 20*ms, strings.Repeat("FF", 2000))}, "", BadFrame, 540 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host, line, stream := open(t, driver.ConnectionKindSerial, replies(tt.replies, []sdktest.Reply{chunk(t, ms, reply)}))
			l := NewRTU(stream, host.Now, Line{Baud: 9600})
			start := l.line.Silence
			got, err := l.Exchange(unit, request, timeout)
			expect(t, got, err, tt.want, tt.fault)
			if took := host.Elapsed() - start; took > tt.within {
				t.Errorf("took %v, want %v", took, tt.within)
			}
			if got := line.Written(); len(got) != 1 || !bytes.Equal(got[0], unhex(t, echo)) {
				t.Errorf("sent %X", got)
			}
			// Whatever came, the next exchange is none the worse for it.
			got, err = l.Exchange(unit, request, timeout)
			expect(t, got, err, response, nil)
		})
	}
}

func TestRTUKeepsSilence(t *testing.T) {
	const silence = 4010416 * time.Nanosecond // 3.5 characters at 9600 Bd
	var host *sdktest.Host
	var sent []time.Duration
	device := func([]byte) []sdktest.Reply {
		sent = append(sent, host.Elapsed())
		return []sdktest.Reply{chunk(t, 10*ms, reply)}
	}
	host, line, stream := open(t, driver.ConnectionKindSerial, device)
	line.Push(chunk(t, 2*ms, "AA"), chunk(t, 5*ms, "BB"))
	l := NewRTU(stream, host.Now, Line{Baud: 9600})
	for range 3 {
		got, err := l.Exchange(unit, request, timeout)
		expect(t, got, err, "0306022B00000064", nil)
	}
	host.Advance(time.Second)
	got, err := l.Exchange(unit, request, timeout)
	expect(t, got, err, "0306022B00000064", nil)
	first := 5*ms + silence
	next := silence + 10*ms
	for i, want := range []time.Duration{first, first + next, first + 2*next, first + 2*next + 10*ms + time.Second} {
		if (sent[i] - want).Abs() > 10*time.Microsecond {
			t.Errorf("request %d was sent at %v, want %v", i, sent[i], want)
		}
	}
}

// TestRTUHearsSilenceAfterAFault holds that a line which gave no reply has to be heard silent, however long ago.
func TestRTUHearsSilenceAfterAFault(t *testing.T) {
	host, line, stream := open(t, driver.ConnectionKindSerial, replies(nil, []sdktest.Reply{chunk(t, ms, reply)}))
	l := NewRTU(stream, host.Now, Line{Baud: 9600})
	got, err := l.Exchange(unit, request, timeout)
	expect(t, got, err, "", Silent)
	host.Advance(time.Second)
	start := host.Elapsed()
	line.Push(chunk(t, 2*ms, foreign[:8]), chunk(t, 5*ms, foreign[8:]))
	got, err = l.Exchange(unit, request, timeout)
	expect(t, got, err, "0306022B00000064", nil)
	if took := host.Elapsed() - start; took < 9*ms || took > 11*ms {
		t.Errorf("took %v, want 5 ms of noise, the silence, and 1 ms", took)
	}
}

func TestRTUOnALineThatIsNeverSilent(t *testing.T) {
	host, line, stream := open(t, driver.ConnectionKindSerial, nil)
	for i := range 1500 {
		line.Push(chunk(t, time.Duration(i)*ms, "55"))
	}
	l := NewRTU(stream, host.Now, Line{Baud: 9600})
	_, err := l.Exchange(unit, request, timeout)
	expect(t, nil, err, "", BadFrame)
	if n := len(line.Written()); n != 0 {
		t.Errorf("sent %d requests into the noise", n)
	}
	host.Advance(2 * time.Second)
	if _, err = l.Exchange(unit, request, timeout); !errors.Is(err, Silent) {
		t.Errorf("got %v, want no reply", err)
	}
}

func TestRTUStreamed(t *testing.T) {
	script := replies(
		[]sdktest.Reply{chunk(t, 20*ms, reply)},
		[]sdktest.Reply{chunk(t, 20*ms, exception)},
		bytewise(t, 5*ms, reply),
		[]sdktest.Reply{chunk(t, 800*ms, reply)}, // late: dropped before the next request
		[]sdktest.Reply{chunk(t, 20*ms, exception)},
		[]sdktest.Reply{chunk(t, 20*ms, damaged)},
		[]sdktest.Reply{{After: 20 * ms, Err: sdk.ErrClosed}},
	)
	host, _, stream := open(t, driver.ConnectionKindTCP, script)
	l := NewRTU(stream, host.Now, Line{Streamed: true})
	for i, want := range []struct {
		response string
		fault    error
		took     time.Duration
	}{
		{"0306022B00000064", nil, 20 * ms},
		{"8302", nil, 20 * ms},
		{"0306022B00000064", nil, 55 * ms},
		{"", Silent, timeout},
		{"8302", nil, 20 * ms},
		{"", BadCRC, 22 * ms},
		{"", sdk.ErrClosed, 20 * ms},
	} {
		start := host.Elapsed()
		got, err := l.Exchange(unit, request, timeout)
		expect(t, got, err, want.response, want.fault)
		if took := host.Elapsed() - start; took > want.took {
			t.Errorf("exchange %d took %v, want %v", i, took, want.took)
		}
		host.Advance(400 * ms)
	}
	if sent, received := l.Traffic(); sent != 7*8 || received != 11+5+11+5+11 {
		t.Errorf("%d bytes sent, %d received", sent, received)
	}
}

// frame is a Modbus TCP frame in hex.
func frame(transaction, unit, response string) string {
	length := hex.EncodeToString([]byte{0, byte(1 + len(response)/2)})
	return transaction + "0000" + length + unit + response
}

func TestTCP(t *testing.T) {
	const response = "0306022B00000064"
	var (
		good  = frame("0001", "11", response)
		stale = frame("0000", "11", "0306AAAAAAAAAAAA")
	)
	tests := []struct {
		name    string
		replies []sdktest.Reply
		want    string
		fault   error
		within  time.Duration
	}{
		{"reply", []sdktest.Reply{chunk(t, 20*ms, good)}, response, nil, 20 * ms},
		{"exception", []sdktest.Reply{chunk(t, 20*ms, frame("0001", "11", "8302"))}, "8302", nil, 20 * ms},
		{"one byte every 5 ms", bytewise(t, 5*ms, good), response, nil, 75 * ms},
		{"stale reply, then reply", []sdktest.Reply{chunk(t, 5*ms, stale), chunk(t, 20*ms, good)}, response, nil, 20 * ms},
		{"both at once", []sdktest.Reply{chunk(t, 20*ms, stale+good)}, response, nil, 20 * ms},
		{"many stale replies", []sdktest.Reply{chunk(t, 20*ms, strings.Repeat(stale, 200)+good)}, response, nil, 20 * ms},
		{"reply and bytes behind", []sdktest.Reply{chunk(t, 20*ms, good+stale)}, response, nil, 20 * ms},
		{"stale reply alone", []sdktest.Reply{chunk(t, 20*ms, stale)}, "", Silent, timeout},
		{"nothing", nil, "", Silent, timeout},
		{"short reply", []sdktest.Reply{chunk(t, 20*ms, good[:20])}, "", Silent, timeout},
		{"another unit", []sdktest.Reply{chunk(t, 20*ms, frame("0001", "12", response))}, "", BadFrame, 20 * ms},
		{"closed", []sdktest.Reply{{After: 20 * ms, Err: sdk.ErrClosed}}, "", sdk.ErrClosed, 20 * ms},
		{"reset in the reply", []sdktest.Reply{{After: 20 * ms, Data: unhex(t, good[:10]), Err: sdk.ErrReset}}, "",
			sdk.ErrReset, 20 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host, line, stream := open(t, driver.ConnectionKindTCP, replies(tt.replies))
			l := NewTCP(stream, host.Now, 0)
			got, err := l.Exchange(unit, request, timeout)
			expect(t, got, err, tt.want, tt.fault)
			if took := host.Elapsed(); took > tt.within {
				t.Errorf("took %v, want %v", took, tt.within)
			}
			if got, want := line.Written(), unhex(t, "000100000006"+"11"+"03006B0003"); !bytes.Equal(got[0], want) {
				t.Errorf("sent %X, want %X", got, want)
			}
		})
	}
}

// TestTCPLateReply holds that one late reply costs one transaction, not all that follow.
func TestTCPLateReply(t *testing.T) {
	host, _, stream := open(t, driver.ConnectionKindTCP, replies(
		[]sdktest.Reply{chunk(t, 600*ms, frame("FFFF", "11", "0306AAAAAAAAAAAA"))},
		[]sdktest.Reply{chunk(t, 20*ms, frame("0000", "11", "0306BBBBBBBBBBBB"))},
		[]sdktest.Reply{chunk(t, 200*ms, frame("0001", "11", "0306CCCCCCCCCCCC"))},
	))
	l := NewTCP(stream, host.Now, 0xFFFE)
	got, err := l.Exchange(unit, request, timeout)
	expect(t, got, err, "", Silent)
	for _, want := range []string{"0306BBBBBBBBBBBB", "0306CCCCCCCCCCCC"} {
		got, err = l.Exchange(unit, request, timeout)
		expect(t, got, err, want, nil)
	}
	if l.Transaction() != 1 {
		t.Errorf("transaction %d, want 1", l.Transaction())
	}
}

// TestTCPReplyInPieces holds that a reply cut by the deadline does not spoil the next one.
func TestTCPReplyInPieces(t *testing.T) {
	late := frame("0001", "11", "0306AAAAAAAAAAAA")
	host, _, stream := open(t, driver.ConnectionKindTCP, replies(
		[]sdktest.Reply{chunk(t, 400*ms, late[:14]), chunk(t, 600*ms, late[14:])},
		[]sdktest.Reply{chunk(t, 150*ms, frame("0002", "11", "0306BBBBBBBBBBBB"))},
	))
	l := NewTCP(stream, host.Now, 0)
	got, err := l.Exchange(unit, request, timeout)
	expect(t, got, err, "", Silent)
	got, err = l.Exchange(unit, request, timeout)
	expect(t, got, err, "0306BBBBBBBBBBBB", nil)
}

func TestTCPBrokenHeader(t *testing.T) {
	for _, header := range []string{"000100010009110306", "0001000000FF110306", "000100000001110306"} {
		host, _, stream := open(t, driver.ConnectionKindTCP, replies([]sdktest.Reply{chunk(t, ms, header)}))
		_, err := NewTCP(stream, host.Now, 0).Exchange(unit, request, timeout)
		if _, ok := errors.AsType[*mbap.HeaderError](err); !ok {
			t.Errorf("%s: got %v, want a broken header", header, err)
		}
	}
}

func TestWriteFails(t *testing.T) {
	for _, kind := range []driver.ConnectionKind{driver.ConnectionKindTCP, driver.ConnectionKindSerial} {
		host, line, stream := open(t, kind, nil)
		line.WriteErr = sdk.ErrReset
		var l Link = NewTCP(stream, host.Now, 0)
		if kind == driver.ConnectionKindSerial {
			l = NewRTU(stream, host.Now, Line{Baud: 9600})
		}
		if _, err := l.Exchange(unit, request, timeout); !errors.Is(err, sdk.ErrReset) {
			t.Errorf("%v: got %v", kind, err)
		}
	}
}

// FuzzExchange gives a link foreign bytes: nothing but a right answer is taken for one.
func FuzzExchange(f *testing.F) {
	f.Add(unhex(f, reply), uint8(0))
	f.Add(unhex(f, echo+damaged+reply), uint8(1))
	f.Add(unhex(f, frame("0001", "11", "0306022B00000064")), uint8(2))
	f.Fuzz(func(t *testing.T, received []byte, mode uint8) {
		kind := driver.ConnectionKindTCP
		if mode %= 3; mode == 0 {
			kind = driver.ConnectionKindSerial
		}
		half := len(received) / 2
		host, _, stream := open(t, kind, replies([]sdktest.Reply{
			{After: ms, Data: received[:half]}, {After: 7 * ms, Data: received[half:]},
		}))
		var l Link = NewRTU(stream, host.Now, Line{Streamed: mode == 1, Baud: 9600})
		if mode == 2 {
			l = NewTCP(stream, host.Now, 0)
		}
		response, err := l.Exchange(unit, request, timeout)
		if err == nil && !bytes.Contains(received, append([]byte{unit}, response...)) {
			t.Fatalf("%X taken for %X", received, response)
		}
		if host.Elapsed() > time.Second {
			t.Fatalf("took %v", host.Elapsed())
		}
	})
}

// TestUnsent holds that an error says whether a request has left.
func TestUnsent(t *testing.T) {
	host, line, stream := open(t, driver.ConnectionKindSerial, nil)
	l := NewRTU(stream, host.Now, Line{Baud: 9600})
	line.Push(bytewise(t, ms, strings.Repeat("00", 3000))...)
	if _, err := l.Exchange(unit, request, timeout); !errors.Is(err, ErrUnsent) || !errors.Is(err, BadFrame) {
		t.Errorf("a line that is never silent: %v", err)
	}
	host.Advance(5 * time.Second)
	if _, err := l.Exchange(unit, pdu.WriteRegister(1, 2), timeout); !errors.Is(err, ErrUnsent) || !errors.Is(err, Silent) {
		t.Errorf("nobody to learn of echoes from: %v", err)
	}
	if _, err := l.Exchange(unit, request, timeout); errors.Is(err, ErrUnsent) || !errors.Is(err, Silent) {
		t.Errorf("no answer: %v", err)
	}
	line.WriteErr = sdk.ErrTimeout
	if _, err := l.Exchange(unit, request, timeout); errors.Is(err, ErrUnsent) || !errors.Is(err, sdk.ErrTimeout) {
		t.Errorf("cut: %v", err)
	}
}

// TestBroadcastKeepsTheTurnaround holds also where the line gives back what was sent.
func TestBroadcastKeepsTheTurnaround(t *testing.T) {
	sent := map[int]time.Duration{}
	var host *sdktest.Host
	host, _, stream := open(t, driver.ConnectionKindSerial, func(frame []byte) []sdktest.Reply {
		sent[len(sent)] = host.Elapsed()
		if frame[0] == 0 {
			return []sdktest.Reply{{After: ms, Data: frame}}
		}
		return []sdktest.Reply{chunk(t, 20*ms, reply)}
	})
	l := NewRTU(stream, host.Now, Line{Baud: 115200, Turnaround: 100 * ms})
	if response, err := l.Exchange(0, pdu.WriteRegister(1, 2), timeout); response != nil || err != nil {
		t.Fatal(response, err)
	}
	if _, err := l.Exchange(unit, request, timeout); err != nil {
		t.Fatal(err)
	}
	if pause := sent[1] - sent[0]; pause < 100*ms || pause > 120*ms {
		t.Errorf("%v between them", pause)
	}
}
