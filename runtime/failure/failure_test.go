package failure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// The rows of DESIGN.md's table, written out once more: a code that changes its meaning must change here, too.
var design = []struct {
	codes string
	kind  Kind
	crash bool
}{
	{"driver.other", Retryable, false},
	{"io.timeout io.refused io.closed io.reset io.unreachable io.busy io.tls io.stuck io.other", Retryable, false},
	{"io.not-found io.invalid grant.denied", Fatal, false},
	{"trap.unreachable trap.memory-bounds trap.table-bounds trap.indirect-call trap.divide-by-zero " +
		"trap.integer-overflow trap.conversion trap.other exit", Retryable, true},
	{"limit.memory limit.cpu limit.stack limit.rate limit.deadline", Retryable, true},
	{"abi.version abi.import abi.export abi.encoding", Fatal, false},
	{"host.panic", Retryable, true},
}

func TestTableIsTheDesign(t *testing.T) {
	var want []Code
	for _, row := range design {
		for name := range strings.FieldsSeq(row.codes) {
			c := Code(name)
			want = append(want, c)
			if !c.Known() || c.Kind() != row.kind || c.Crash() != row.crash {
				t.Errorf("%s: known %t, kind %s, crash %t", c, c.Known(), c.Kind(), c.Crash())
			}
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(table)); !slices.Equal(got, want) {
		t.Errorf("the table has\n%s\nwant\n%s", got, want)
	}
}

// What has worked before and is not found now may come back; for everything else that makes no difference.
func TestKindLost(t *testing.T) {
	for _, c := range append(Codes(), "driver.crc", "") {
		want := c.Kind()
		if c == IONotFound {
			want = Retryable
		}
		if got := c.KindLost(); got != want {
			t.Errorf("%s: %s", c, got)
		}
	}
}

func TestCodesOfDrivers(t *testing.T) {
	for c, known := range map[Code]bool{
		"driver.crc": true, "driver.": false, "driver": false, "drive.crc": false, "io.crc": false, "": false,
	} {
		if c.Known() != known || c.Kind() != Retryable || c.Crash() {
			t.Errorf("%q: known %t, kind %s, crash %t", c, c.Known(), c.Kind(), c.Crash())
		}
	}
}

func TestFrom(t *testing.T) {
	inner := &Failure{Code: IONotFound, Summary: "no such port", Cause: io.EOF}
	for name, c := range map[string]struct {
		err  error
		want Failure
	}{
		"fills in phase and kind": {inner, Failure{PhaseInit, Fatal, IONotFound, "no such port", "", nil, io.EOF}},
		"finds a wrapped one": {fmt.Errorf("open: %w", inner),
			Failure{PhaseInit, Fatal, IONotFound, "no such port", "", nil, io.EOF}},
		"finds a joined one": {errors.Join(io.ErrShortWrite, inner),
			Failure{PhaseInit, Fatal, IONotFound, "no such port", "", nil, io.EOF}},
		"keeps phase and kind": {&Failure{Phase: PhaseConfigure, Kind: Stop, Code: IOTimeout, Detail: "stack"},
			Failure{PhaseConfigure, Stop, IOTimeout, "", "stack", nil, nil}},
		"anything else is our bug": {io.EOF, Failure{PhaseInit, Retryable, HostPanic, "EOF", "", nil, io.EOF}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := From(PhaseInit, c.err); *got != c.want {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
		})
	}
	if inner.Phase != "" || inner.Kind != "" {
		t.Errorf("From changed its argument: %+v", inner)
	}
}

func TestFailureIsAnError(t *testing.T) {
	f := New(PhaseRun, IOReset, "reset by peer")
	f.Cause = io.ErrUnexpectedEOF
	if got := f.Error(); got != "run: io.reset: reset by peer" {
		t.Errorf("error %q", got)
	}
	if !errors.Is(f, io.ErrUnexpectedEOF) {
		t.Error("the cause is not found")
	}
}

func TestRecordJSON(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 20, 1, 123456789, time.UTC)
	for name, c := range map[string]struct {
		record Record
		want   string
	}{
		"retried": {
			Record{PhaseRun, Retryable, TrapUnreachable, "unreachable executed", 7, 3, "sha256:ab", at, at.Add(time.Second)},
			`{"phase":"run","kind":"retryable","code":"trap.unreachable","summary":"unreachable executed","attempt":7,` +
				`"generation":3,"digest":"sha256:ab","time":"2026-11-23T08:20:01.123456789Z",` +
				`"next_retry":"2026-11-23T08:20:02.123456789Z"}`,
		},
		"final, of a native session": {
			Record{Phase: PhaseConnect, Kind: Fatal, Code: GrantDenied, Summary: "no grant", Attempt: 1, Time: at},
			`{"phase":"connect","kind":"fatal","code":"grant.denied","summary":"no grant","attempt":1,"generation":0,` +
				`"time":"2026-11-23T08:20:01.123456789Z"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(c.record)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}
