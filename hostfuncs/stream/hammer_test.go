package stream

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Reading and writing while bytes arrive, the session is asked to yield and stopped, the stream dropped and the device
// gone, all at once: every call returns, and everything ends.
func TestHammer(t *testing.T) {
	for seed := range uint64(200) {
		hammer(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

func hammer(t *testing.T, r *rand.Rand) {
	d := newDevice()
	d.readErr = context.Canceled
	d.full = make(chan struct{}, 1)
	d.tick = 10 * time.Microsecond
	owner := newSession()
	line := Open(d.open)
	s := New("main", line, owner, false)
	ctx, stop := context.WithCancel(t.Context())
	poked := make(chan struct{}, 1)
	s.Notify(poked)

	var wg sync.WaitGroup
	after := func(f func()) {
		wait := time.Duration(r.IntN(500)) * time.Microsecond
		wg.Go(func() {
			<-time.After(wait)
			f()
		})
	}
	wg.Go(func() { feed(d) })
	after(stop)
	after(func() { close(owner.yield) })
	after(s.Detach)
	after(func() { _ = line.Close() })
	for ctx.Err() == nil {
		s.Write(ctx, []byte("request"), uint64(r.IntN(int(time.Millisecond))))
		s.ReadFrame(ctx, 64, uint64(time.Millisecond), uint64(20*time.Microsecond), uint32(r.IntN(64)))
		if s.Read(ctx, 64, 0).Err == driver.IOErrorClosed {
			break
		}
		s.Readable()
	}
	wg.Wait()
	stop()
	s.Drop(ctx)
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	if !d.isClosed() {
		t.Fatal("the device is still open")
	}
}

// feed has bytes arrive, and lets writes go on, until the device goes away.
func feed(d *device) {
	for range 50 {
		select {
		case d.in <- []byte("response"):
		case d.full <- struct{}{}:
		case <-d.stop:
			return
		}
	}
	close(d.in)
}
