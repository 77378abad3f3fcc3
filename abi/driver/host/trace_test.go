package host_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
)

// took is the duration at the end of a line, which no test can know.
var took = regexp.MustCompile(` [0-9.]+(ns|µs|ms|s)$`)

// traceOf returns the calls that a guest made, as lines without their durations.
func traceOf(t *testing.T, x *instance, secrets ...string) []string {
	t.Helper()
	var hidden canon.Secrets
	for _, s := range secrets {
		hidden = append(hidden, []byte(s))
	}
	var lines []string
	for _, c := range x.Guest().Calls(hidden) {
		if (c.Duration == 0) != (c.Result == "did not return") {
			t.Errorf("%s took %s", c, c.Duration)
		}
		lines = append(lines, took.ReplaceAllString(c.String(), ""))
	}
	return lines
}

// runs is a guest that makes these calls in run.
func runs(t *testing.T, imports []string, data []wasmtest.Data, calls ...[]byte) *instance {
	t.Helper()
	x := start(t, guestCode{
		imports: imports, data: data, bodies: map[string][]byte{"#run": wasmtest.Code(append(calls, answer())...)},
	}, canon.Limits{})
	x.world.frame = []byte("frame")
	return x
}

// TestTrace has one call of every form of parameter and result.
func TestTrace(t *testing.T) {
	x := runs(t,
		[]string{"open", "[method]stream.read", "publish", "log", "save", "load", "wait", "connect", "[method]stream.resumed", "reply",
			"[resource-drop]stream"},
		[]wasmtest.Data{{Offset: 64, Bytes: []byte("main")}, {Offset: 80, Bytes: []byte("0123456789012345678901234567890123456789")}},
		i32(64), i32(4), i32(resultAt), call(0),
		handle(), i32(16), i64(500_000_000), i32(resultAt+64), call(1),
		i32(0), i32(0), i32(resultAt+64), call(2),
		i32(2), i32(64), i32(4), i32(0), i32(0), call(3),
		i32(80), i32(40), i32(resultAt+64), call(4),
		i32(resultAt+64), call(5),
		i32(0), i32(0), i64(1<<63), i32(resultAt+64), call(6),
		i32(1), i32(64), i32(4), i32(resultAt+64), call(7),
		handle(), call(8), wasmtest.Drop(),
		i64(7), i32(1), i32(4), i32(0), i32(0), i32(0), i32(0), call(9),
		handle(), call(10),
		i32(resultAt), i32(4), i32(resultAt+64), call(0),
	)
	if _, err := x.Run(t.Context(), driver.Session{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`serial.open(name "main") -> ok`,
		`[method]stream.read(stream 4096, max 16, timeout 500ms) -> ok 5`,
		`data.publish(samples 0 elements) -> ok`,
		`log.log(level warn, message "main", fields 0 elements) -> ok`,
		`state.save(blob 40 bytes 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 ..) -> ok`,
		`state.load() -> some 5`,
		`control.wait(streams 0 elements, timeout for ever) -> stop`,
		`socket.connect(to address "main") -> denied`,
		`[method]stream.resumed(stream 4096) -> true`,
		`control.reply(id 7, answer error) -> ok`,
		`[resource-drop]stream(stream 4096) -> ok`,
		`serial.open(name "\x00\x00\x00\x00") -> ok`,
	}
	if got := traceOf(t, x); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTraceKeepsTheLast sees that old calls make room for new ones, and that one that ended the guest is the last.
func TestTraceKeepsTheLast(t *testing.T) {
	var calls [][]byte
	for range 100 {
		calls = append(calls, i32(resultAt), call(0))
	}
	calls = append(calls, i32(77), call(1))
	x := runs(t, []string{"load", "[resource-drop]stream"}, nil, calls...)
	if _, err := x.Run(t.Context(), driver.Session{}); err == nil {
		t.Fatal("a wild handle was dropped")
	}
	got := traceOf(t, x)
	if len(got) != 64 || got[0] != "state.load() -> some 5" || got[63] != "[resource-drop]stream(stream 77) -> did not return" {
		t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
}

// TestTraceRedacts hides secrets, also the part of one that is cut off.
func TestTraceRedacts(t *testing.T) {
	save := func(at, n uint32) []byte { return wasmtest.Code(i32(at), i32(n), i32(resultAt), call(0)) }
	x := runs(t, []string{"save", "open"},
		[]wasmtest.Data{{Offset: 64, Bytes: []byte("a:hush,b:hush!")}, {Offset: 128, Bytes: []byte("0123456789012345678901234567890123456hush")}},
		save(64, 14), save(128+9, 34), save(128+9, 28), save(128+6, 34), i32(64), i32(7), i32(resultAt), call(1))
	if _, err := x.Run(t.Context(), driver.Session{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`state.save(blob 14 bytes 61 3a ** ** ** ** 2c 62 3a ** ** ** ** 21) -> ok`,
		`state.save(blob 34 bytes 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 ** ** ** ** ..) -> ok`,
		`state.save(blob 28 bytes 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36) -> ok`,
		`state.save(blob 34 bytes 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 ** ..) -> ok`,
		`serial.open(name "a:***,") -> ok`,
	}
	if got := traceOf(t, x, "", "hush"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTraceOfWildGuests has parameters that point nowhere or have no such case: they are told as they are.
func TestTraceOfWildGuests(t *testing.T) {
	for want, calls := range map[string][]byte{
		`log.log(level case 9, message 4294967295 bytes, fields 4294967295 elements) -> did not return`: wasmtest.Code(
			i32(9), i32(0xffff_ffff), i32(0xffff_ffff), i32(0xffff_ffff), i32(0xffff_ffff), call(0)),
		`serial.open(name 4 bytes) -> did not return`: wasmtest.Code(i32(pageSize), i32(4), i32(resultAt), call(1)),
		`state.load() -> did not return`:              wasmtest.Code(i32(pageSize), call(2)),
	} {
		x := runs(t, []string{"log", "open", "load"}, nil, calls)
		if _, err := x.Run(t.Context(), driver.Session{}); err == nil {
			t.Errorf("%s: the guest went on", want)
		}
		if got := traceOf(t, x); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
