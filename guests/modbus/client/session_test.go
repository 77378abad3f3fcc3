package client

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// failure runs a session and returns how it failed.
func (b *bench) failure(t *testing.T) *sdktest.Error {
	t.Helper()
	b.After(time.Hour, b.Stop)
	_, err := b.Run(Driver{}, b.conf.Config)
	failed, ok := errors.AsType[*sdktest.Error](err)
	if !ok {
		t.Fatalf("got %v, want a failure", err)
	}
	return failed
}

func expectIO(t *testing.T, got *sdktest.Error, phase string, cause driver.IOError) {
	t.Helper()
	c := got.Failure.Cause
	if got.Phase != phase || c.Tag() != driver.CauseTagIO || c.IO() != cause {
		t.Errorf("%s: %v %v %q, want %s: io %v", got.Phase, c.Tag(), c.IO(), got.Failure.Summary, phase, cause)
	}
}

func onePoint(kind driver.ConnectionKind, settings string) *config {
	return newConfig(kind, settings).device(1, "").points("holding:1 uint16")
}

func TestConnectFails(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		b := newBench(t, onePoint(onTCP, ``), newPeer(true, 1))
		b.line.ReadyErr = sdk.ErrRefused
		expectIO(t, b.failure(t), "connect", driver.IOErrorRefused)
		if b.line.Open() {
			t.Error("the connection is still open")
		}
	})
	t.Run("no such port", func(t *testing.T) {
		b := newBench(t, onePoint(onSerial, ``), newPeer(false, 1))
		b.line.OpenErr = sdk.ErrNotFound
		expectIO(t, b.failure(t), "connect", driver.IOErrorNotFound)
	})
	t.Run("stop during the pause", func(t *testing.T) {
		b := newBench(t, onePoint(onTCP, `{"connect_pause":"10s"}`), newPeer(true, 1))
		b.After(time.Second, b.Stop)
		expectIO(t, b.failure(t), "connect", driver.IOErrorCancelled)
	})
}

func TestReadyWithoutAnyUnit(t *testing.T) {
	p := newPeer(false)
	b := newBench(t, onePoint(onSerial, `{"timeout":"100ms"}`), p)
	b.run(t, 5*time.Minute)
	if got, _ := b.StatusOf(1); got.Status != driver.StatusOffline {
		t.Errorf("status %v", got.Status)
	}
	if n := len(p.asked); n > 3+10 {
		t.Errorf("asked %d times in 5 minutes", n)
	}
}

func TestConnectionIsLost(t *testing.T) {
	for _, cause := range []sdk.IOError{sdk.ErrClosed, sdk.ErrReset} {
		t.Run(cause.Error(), func(t *testing.T) {
			p := newPeer(true, 1)
			b := newBench(t, onePoint(onTCP, ``), p)
			p.fault = func(n int, _ uint8, reply []byte) []sdktest.Reply {
				if n < 3 {
					return []sdktest.Reply{{Data: reply}}
				}
				return []sdktest.Reply{{Data: reply[:4], Err: cause}}
			}
			failed := b.failure(t)
			expectIO(t, failed, "run", driver.IOError(cause))
			if !strings.Contains(failed.Failure.Summary, "unit 1, holding 1..1") {
				t.Errorf("summary %q", failed.Failure.Summary)
			}
			b.expect(t, 1, "1 1")
		})
	}
}

func TestDeadConnectionIsClosed(t *testing.T) {
	for _, settings := range []string{`{}`, `{"mode":"rtu-over-tcp"}`} {
		conf := newConfig(onTCP, settings).device(1, "").points("holding:1 uint16").
			device(2, "").points("holding:2 uint16")
		p := newPeer(settings == `{}`, 1, 2)
		b := newBench(t, conf, p)
		b.After(2500*time.Millisecond, func() { p.units[1].silent, p.units[2].silent = true, true })
		failed := b.failure(t)
		expectIO(t, failed, "run", driver.IOErrorTimeout)
		if kind := failed.Failure.Kind; kind != component.Some(driver.FailureKindRetryable) {
			t.Errorf("kind %+v", kind)
		}
		if n := len(p.asked); n != 6+5 {
			t.Errorf("asked %q", p.asked)
		}
	}
}

func TestDeadConnectionIsKeptWhereSet(t *testing.T) {
	p := newPeer(true)
	b := newBench(t, onePoint(onTCP, `{"close_after_timeouts":0,"timeout":"10ms"}`), p)
	b.run(t, time.Hour)
	if n := len(p.asked); n < 60 {
		t.Errorf("asked %d times in an hour", n)
	}
}

func TestBrokenHeaderEndsTheSession(t *testing.T) {
	p := newPeer(true, 1)
	p.fault = func(int, uint8, []byte) []sdktest.Reply {
		return []sdktest.Reply{{Data: []byte("HTTP/1.1 400 Bad Request\r\n")}}
	}
	failed := newBench(t, onePoint(onTCP, ``), p).failure(t)
	if c := failed.Failure.Cause; c.Own() != "bad-frame" || !strings.Contains(failed.Failure.Summary, "protocol id") {
		t.Errorf("%v %q", c.Own(), failed.Failure.Summary)
	}
}

func TestYieldFinishesTheTransaction(t *testing.T) {
	for _, kind := range []driver.ConnectionKind{onTCP, onSerial} {
		t.Run(kind.String(), func(t *testing.T) {
			p := newPeer(kind == onTCP, 1)
			p.latency = 400 * time.Millisecond
			b := newBench(t, onePoint(kind, ``), p)
			b.After(2200*time.Millisecond, b.Yield)
			outcome, err := b.Run(Driver{}, b.conf.Config)
			if err != nil || outcome.Tag() != driver.OutcomeTagYielded {
				t.Fatalf("outcome %v, %v", outcome.Tag(), err)
			}
			b.expect(t, 1, "1 1 1")
			if !b.line.Open() {
				t.Error("the line was closed")
			}

			next := newBench(t, b.conf, p)
			next.line.Resumed = true
			next.SetState(b.State())
			next.Session.Takeover = true
			next.run(t, 900*time.Millisecond)
			next.expect(t, 1, "1")
			if kind == onTCP && !bytes.HasPrefix(next.line.Written()[0], []byte{0, 4}) {
				t.Errorf("the transactions do not go on: %X", next.line.Written()[0])
			}
		})
	}
}

func TestTakenOverConnectionNeedsNoPause(t *testing.T) {
	b := newBench(t, onePoint(onTCP, `{"connect_pause":"10s"}`), newPeer(true, 1))
	b.line.Resumed = true
	b.run(t, 500*time.Millisecond)
	b.expect(t, 1, "1")
}

func TestYieldEndsALongCycle(t *testing.T) {
	conf := newConfig(onTCP, ``)
	p := newPeer(true)
	for unit := range 50 {
		conf.device(unit, "").points("holding:1 uint16")
		p.units[uint8(unit)] = &station{}
	}
	p.latency = 100 * time.Millisecond
	b := newBench(t, conf, p)
	b.After(250*time.Millisecond, b.Yield)
	outcome, err := b.Run(Driver{}, conf.Config)
	if err != nil || outcome.Tag() != driver.OutcomeTagYielded {
		t.Fatalf("outcome %v, %v", outcome.Tag(), err)
	}
	if b.Elapsed() > 350*time.Millisecond || len(p.asked) != 3 {
		t.Errorf("asked %d units, until %v", len(p.asked), b.Elapsed())
	}
	b.expect(t, 3, "1")
	b.expect(t, 4, "")
}

func TestStopEndsATransaction(t *testing.T) {
	p := newPeer(false)
	b := newBench(t, onePoint(onSerial, `{"timeout":"1m"}`), p)
	b.run(t, 10*time.Second)
	if b.Elapsed() != 10*time.Second {
		t.Errorf("stopped at %v", b.Elapsed())
	}
}

func TestBrokenStateIsNothing(t *testing.T) {
	for _, state := range []string{
		"", "\x01", "\x02\x00\x00", "\x01\x00\x07\x01\x00\x02\x03\x00", "\x01\x00\x00\x01\x00\x01\x09\x00\x00",
	} {
		b := newBench(t, onePoint(onTCP, ``), newPeer(true, 1))
		b.SetState([]byte(state))
		b.run(t, 500*time.Millisecond)
		b.expect(t, 1, "1")
	}
}

func TestReadCommand(t *testing.T) {
	conf := newConfig(onTCP, ``).device(1, "").points("holding:1 uint16", "holding:3 uint16", "input:9 uint16").
		device(2, "").points("holding:4 uint16")
	for i := range conf.Points {
		conf.Points[i].Period = 0
	}
	p := newPeer(true, 1, 2)
	p.units[1].refuse[3] = pdu.IllegalAddress
	b := newBench(t, conf, p)
	var all, unknown, expired uint64
	b.After(time.Second, func() {
		all = b.Command(driver.RequestRead([]sdk.PointID{4, 3, 2, 1, 1}), time.Second)
		unknown = b.Command(driver.RequestRead([]sdk.PointID{1, 99}), time.Second)
		expired = b.Command(driver.RequestRead([]sdk.PointID{1}), 0)
	})
	b.run(t, 2*time.Second)
	answer, _ := b.Answer(all)
	var got []string
	for _, s := range answer.Value.Read() {
		got = append(got, short(s))
	}
	if want := "4 9 !exception-2 1 1"; answer.Failed || strings.Join(got, " ") != want {
		t.Errorf("answered %v %q, want %q", answer.Failed, got, want)
	}
	if a, _ := b.Answer(unknown); !a.Failed || a.Err.Tag() != driver.CommandErrorTagInvalid {
		t.Errorf("unknown point: %+v", a)
	}
	if a, _ := b.Answer(expired); !a.Failed || a.Err.Tag() != driver.CommandErrorTagNotSent {
		t.Errorf("expired: %+v", a)
	}
	if len(b.Cycles()) != 0 {
		t.Error("points without a period were published")
	}
}
