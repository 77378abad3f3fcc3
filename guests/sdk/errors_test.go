package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// failing is a driver whose configure fails with err.
type failing struct{ err error }

func (failing) Describe() sdk.Metadata                         { return sdk.Metadata{} }
func (f failing) Configure(*sdk.Config) (sdk.Connector, error) { return nil, f.err }

func failureOf(t *testing.T, err error) driver.Failure {
	t.Helper()
	r := sdk.NewLifecycle(failing{err}, sdktest.New(t)).Configure(driver.Config{})
	if !r.Failed {
		t.Fatal("configure did not fail")
	}
	return r.Err
}

func TestFailure(t *testing.T) {
	none := component.None[driver.FailureKind]()
	retryable := component.Some(driver.FailureKindRetryable)
	fatal := component.Some(driver.FailureKindFatal)
	stop := component.Some(driver.FailureKindStop)
	tests := []struct {
		name string
		err  error
		want driver.Failure
	}{
		{"plain", errors.New("no luck"), driver.Failure{Kind: none, Summary: "no luck", Cause: driver.CauseNone()}},
		{"I/O", fmt.Errorf("read header: %w", sdk.ErrTimeout),
			driver.Failure{Kind: none, Summary: "read header: timeout", Cause: driver.CauseIO(driver.IOErrorTimeout)}},
		{"retryable", sdk.Retryable("busy", "device %d is busy", 7),
			driver.Failure{Kind: retryable, Summary: "device 7 is busy", Cause: driver.CauseOwn("busy")}},
		{"fatal", sdk.Fatal("model", "model %q", "x"),
			driver.Failure{Kind: fatal, Summary: `model "x"`, Cause: driver.CauseOwn("model")}},
		{"stop", sdk.Stop("done", "done"), driver.Failure{Kind: stop, Summary: "done", Cause: driver.CauseOwn("done")}},
		{"kind with an I/O cause", sdk.Fatal("", "connect: %w", sdk.ErrRefused),
			driver.Failure{Kind: fatal, Summary: "connect: connection refused", Cause: driver.CauseIO(driver.IOErrorRefused)}},
		{"a code goes before an I/O cause", sdk.Retryable("handshake", "shake: %w", sdk.ErrReset),
			driver.Failure{Kind: retryable, Summary: "shake: connection reset", Cause: driver.CauseOwn("handshake")}},
		{"wrapped", fmt.Errorf("connect: %w", sdk.Stop("done", "it is over")),
			driver.Failure{Kind: stop, Summary: "connect: it is over", Cause: driver.CauseOwn("done")}},
		{"the outermost kind, the only code", fmt.Errorf("a: %w", &sdk.Error{Kind: sdk.KindFatal, Summary: "b",
			Err: sdk.Retryable("inner", "c")}),
			driver.Failure{Kind: fatal, Summary: "a: b: c", Cause: driver.CauseOwn("inner")}},
		{"no kind but a code", &sdk.Error{Code: "odd", Summary: "odd"},
			driver.Failure{Kind: none, Summary: "odd", Cause: driver.CauseOwn("odd")}},
		{"joined", errors.Join(errors.New("a"), sdk.ErrClosed),
			driver.Failure{Kind: none, Summary: "a; connection closed", Cause: driver.CauseIO(driver.IOErrorClosed)}},
		{"not UTF-8", errors.New("bad \xff byte"),
			driver.Failure{Kind: none, Summary: "bad � byte", Cause: driver.CauseNone()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := failureOf(t, tt.err)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(driver.Cause{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSummaryIsBounded(t *testing.T) {
	s := failureOf(t, errors.New(strings.Repeat("ä", 4000))).Summary
	if len(s) > 1024 || !utf8.ValidString(s) || !strings.HasSuffix(s, "ä…") {
		t.Errorf("%d bytes, ending with %q", len(s), s[len(s)-8:])
	}
}

func TestIOError(t *testing.T) {
	tests := []struct {
		err   sdk.IOError
		names []error
	}{
		{sdk.ErrTimeout, []error{os.ErrDeadlineExceeded}},
		{sdk.ErrClosed, []error{io.EOF, fs.ErrClosed}},
		{sdk.ErrDenied, []error{fs.ErrPermission}},
		{sdk.ErrNotFound, []error{fs.ErrNotExist}},
		{sdk.ErrCancelled, []error{context.Canceled}},
		{sdk.ErrReset, nil},
	}
	all := []error{os.ErrDeadlineExceeded, io.EOF, fs.ErrClosed, fs.ErrPermission, fs.ErrNotExist, context.Canceled}
	for _, tt := range tests {
		wrapped := fmt.Errorf("read: %w", tt.err)
		for _, target := range all {
			want := false
			for _, n := range tt.names {
				want = want || n == target
			}
			if errors.Is(wrapped, target) != want {
				t.Errorf("errors.Is(%v, %v) is not %v", tt.err, target, want)
			}
		}
		if !errors.Is(wrapped, tt.err) || tt.err.Timeout() != (tt.err == sdk.ErrTimeout) {
			t.Errorf("%v is not itself", tt.err)
		}
	}
}

func TestIOErrorTextsDiffer(t *testing.T) {
	seen := map[string]sdk.IOError{}
	for e := sdk.ErrTimeout; e <= sdk.ErrOther; e++ {
		if other, ok := seen[e.Error()]; ok {
			t.Errorf("%d and %d are both %q", e, other, e)
		}
		seen[e.Error()] = e
		want := "io." + driver.IOError(e).String()
		if got := sdk.Failed(1, e, sdktest.New(t).Now()).Reason.Value; got != want {
			t.Errorf("the reason is %q, not %q", got, want)
		}
	}
}

func TestFailedReason(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{sdk.Retryable("illegal-address", "exception 2"), "illegal-address"},
		{fmt.Errorf("block: %w", sdk.ErrTimeout), "io.timeout"},
		{errors.New("odd"), "other"},
	}
	for _, tt := range tests {
		if got := sdk.Failed(1, tt.err, sdktest.New(t).Now()); got.Reason.Value != tt.want || got.Value.Some {
			t.Errorf("%v: %+v", tt.err, got)
		}
	}
}
