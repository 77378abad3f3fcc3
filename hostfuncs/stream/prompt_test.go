package stream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// prompt is a device that takes some bytes at once.
type prompt struct {
	*device
	takes  int
	now    strings.Builder
	nowErr error
}

func (p *prompt) WriteNow(b []byte) (int, error) {
	n := min(p.takes, len(b))
	p.takes -= n
	p.now.Write(b[:n])
	return n, p.nowErr
}

func openPrompt(t *testing.T, p *prompt) *Stream {
	t.Helper()
	line := Open(func(context.Context) (Device, error) { return p, nil })
	t.Cleanup(func() { _ = line.Close() })
	s := New("main", line, newSession(), false)
	wantDone(t, s.Ready(t.Context(), ns(time.Second)))
	return s
}

func TestWriteAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prompt{device: newDevice(), takes: 10}
		s := openPrompt(t, p)
		wantDone(t, s.Write(t.Context(), []byte("at once"), ns(time.Second)))
		wantDone(t, s.Write(t.Context(), []byte(", the rest"), 0))
		synctest.Wait()
		if now, later := p.now.String(), p.sent(); now != "at once, t" || later != "he rest" || s.line.Dirty() {
			t.Errorf("sent %q at once and %q later; dirty %v", now, later, s.line.Dirty())
		}
		if got := s.line.traffic.Sent.Load(); got != 17 {
			t.Errorf("%d bytes counted", got)
		}
	})
}

// What the writer has to wait for goes first, and what fails at once ends the line.
func TestWriteAtOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prompt{device: newDevice()}
		p.full = make(chan struct{}, 1)
		s := openPrompt(t, p)
		wantDone(t, s.Write(t.Context(), []byte("first "), 0))
		synctest.Wait()
		p.takes = 100
		wantErr(t, s.Write(t.Context(), []byte("second"), 0), driver.IOErrorStuck)
		p.full <- struct{}{}
		synctest.Wait()
		wantDone(t, s.Write(t.Context(), []byte("third"), 0))
		if got := p.sent() + p.now.String(); got != "first third" {
			t.Errorf("sent %q", got)
		}
		p.nowErr = errors.New("no more")
		wantErr(t, s.Write(t.Context(), []byte("x"), 0), driver.IOErrorOther)
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorOther)
	})
}

// A write is dirty that was sent in part when the time of its phase was over.
func TestWriteAtOnceCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prompt{device: newDevice(), takes: 3}
		p.full = make(chan struct{})
		s := openPrompt(t, p)
		wantErr(t, s.Write(t.Context(), []byte("abcdef"), ns(time.Second)), driver.IOErrorTimeout)
		if !s.line.Dirty() {
			t.Error("clean")
		}
	})
}

// greedy is a device that takes everything at once and keeps nothing.
type greedy struct{ *device }

func (greedy) WriteNow(b []byte) (int, error) { return len(b), nil }

func TestWriteAtOnceDoesNotAllocate(t *testing.T) {
	g := greedy{newDevice()}
	line := Open(func(context.Context) (Device, error) { return g, nil })
	defer line.Close()
	s := New("main", line, newSession(), false)
	data, ctx := []byte("request"), t.Context()
	wantDone(t, s.Ready(ctx, ns(time.Minute)))
	if n := testing.AllocsPerRun(200, func() { s.Write(ctx, data, ns(time.Second)) }); n > 0 {
		t.Errorf("%v allocations a write", n)
	}
}
