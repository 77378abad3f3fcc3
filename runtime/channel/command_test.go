package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

func invoke(action string) driver.Request {
	return driver.RequestInvoke(driver.ActionRequest{Action: action})
}

func answer(text string) Answer {
	return component.OK[driver.CommandError](driver.ResponseInvoke(text))
}

// ended is what a call came to.
type ended struct {
	answer Answer
	err    error
	after  time.Duration
}

// call starts a call and returns where its end will be told.
func call(ctx context.Context, q *commands, action string, report func(string, float64)) <-chan ended {
	out := make(chan ended, 1)
	begin := time.Now()
	go func() {
		a, err := q.do(ctx, invoke(action), report)
		out <- ended{a, err, time.Since(begin)}
	}()
	return out
}

// taken has the driver take the next command, which must be there.
func taken(t *testing.T, q *commands) driver.Command {
	t.Helper()
	synctest.Wait()
	e, ok := q.next(time.Now())
	if !ok || e.Tag() != driver.EventTagCommand {
		t.Fatalf("no command: %v %v", e.Tag(), ok)
	}
	return e.Command()
}

func TestCommandIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		done := call(within(t, 3*time.Second), q, "echo", nil)
		pass(time.Second)
		cmd := taken(t, q)
		if cmd.Request.Invoke().Action != "echo" || time.Duration(cmd.Deadline) != 2*time.Second {
			t.Errorf("took %q with %v left", cmd.Request.Invoke().Action, time.Duration(cmd.Deadline))
		}
		pass(time.Second)
		q.reply(cmd.ID, answer("pong"))
		q.reply(cmd.ID, answer("once more"))
		if e := <-done; e.err != nil || e.answer.Value.Invoke() != "pong" || e.after != 2*time.Second {
			t.Errorf("got %+v", e)
		}
		if _, more := q.next(time.Now()); more {
			t.Error("an answered command is still in the queue")
		}
	})
}

func TestCommandExpiresBeforeItIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		e := <-call(within(t, time.Second), q, "echo", nil)
		if !errors.Is(e.err, ErrExpired) || e.after != time.Second {
			t.Errorf("got %+v", e)
		}
		if event, more := q.next(time.Now()); more {
			t.Errorf("the driver was given %v for an expired command", event.Tag())
		}
	})
}

// TestCommandOfNoDeadline: the driver is told a minute, after which it is not given the command any more.
func TestCommandOfNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		late := call(t.Context(), q, "late", nil)
		pass(30 * time.Second)
		soon := call(t.Context(), q, "soon", nil)
		pass(30 * time.Second)
		cmd := taken(t, q)
		if e := <-late; !errors.Is(e.err, ErrExpired) || cmd.Request.Invoke().Action != "soon" || cmd.Deadline != uint64(30*time.Second) {
			t.Errorf("took %+v, the other ended with %v", cmd, e.err)
		}
		q.reply(cmd.ID, answer("pong"))
		if e := <-soon; e.err != nil {
			t.Error(e.err)
		}
	})
}

func TestCommandIsUnknownOnceTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		done := call(within(t, time.Second), q, "write", nil)
		cmd := taken(t, q)
		other := call(t.Context(), q, "next", nil)
		if e := <-done; !errors.Is(e.err, ErrUnknown) || e.after != time.Second {
			t.Errorf("got %+v", e)
		}
		<-q.arrived
		cancel, ok := q.next(time.Now())
		if !ok || cancel.Tag() != driver.EventTagCancel || cancel.Cancel() != cmd.ID {
			t.Errorf("the driver heard %v of %d, before other commands", cancel.Tag(), cancel.Cancel())
		}
		q.reply(cmd.ID, answer("too late"))
		q.reply(taken(t, q).ID, answer("pong"))
		if e := <-other; e.answer.Value.Invoke() != "pong" {
			t.Errorf("the late answer went to another call: %+v", e)
		}
	})
}

// TestAnswerAtTheDeadline: an answer that is there wins over the end of the time.
func TestAnswerAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		cmd, err := q.push(within(t, time.Second), invoke("echo"), nil)
		if err != nil {
			t.Fatal(err)
		}
		q.reply(taken(t, q).ID, answer("pong"))
		if a, err := q.abandon(cmd); err != nil || a.Value.Invoke() != "pong" {
			t.Errorf("got %+v, %v", a, err)
		}
		if e, more := q.next(time.Now()); more {
			t.Errorf("the driver heard %v of an answered command", e.Tag())
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		ctx := within(t, time.Second)
		var calls []<-chan ended
		for i := range maxCommands {
			calls = append(calls, call(ctx, q, fmt.Sprint(i), nil))
			synctest.Wait()
		}
		first := taken(t, q)
		if _, err := q.do(ctx, invoke("more"), nil); !errors.Is(err, ErrQueueFull) {
			t.Errorf("one more than %d: %v", maxCommands, err)
		}
		q.reply(first.ID, answer("room"))
		if e := <-calls[0]; e.answer.Value.Invoke() != "room" {
			t.Errorf("the first was not the first: %+v", e)
		}
		for i := range maxCommands - 1 {
			if got := taken(t, q).Request.Invoke().Action; got != fmt.Sprint(i+1) {
				t.Fatalf("%s came in place of %d", got, i+1)
			}
		}
		q.close()
		for _, c := range calls[1:] {
			if e := <-c; !errors.Is(e.err, ErrUnknown) {
				t.Error(e.err)
			}
		}
	})
}

// TestQueueClosed: the session is over.
func TestQueueClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		sent := call(within(t, time.Minute), q, "sent", nil)
		id := taken(t, q).ID
		waiting := call(within(t, time.Minute), q, "waiting", nil)
		synctest.Wait()
		q.close()
		q.close()
		if e := <-sent; !errors.Is(e.err, ErrUnknown) || e.after != 0 {
			t.Errorf("the one that the driver had: %+v", e)
		}
		if e := <-waiting; !errors.Is(e.err, ErrExpired) || e.after != 0 {
			t.Errorf("the one that waited: %+v", e)
		}
		if _, err := q.do(t.Context(), invoke("after"), nil); !errors.Is(err, ErrNotReady) {
			t.Errorf("one after: %v", err)
		}
		q.reply(id, answer("too late"))
		q.progress(id, "too late", 1)
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newCommands()
		var heard []string
		report := func(text string, fraction float64) { heard = append(heard, fmt.Sprint(text, fraction)) }
		loud := call(t.Context(), q, "loud", report)
		first := taken(t, q)
		quiet := call(t.Context(), q, "quiet", nil)
		second := taken(t, q)
		q.progress(first.ID, "half ", 0.5)
		q.progress(second.ID, "nobody listens ", 0.5)
		q.progress(99, "nobody ", 0.5)
		q.reply(first.ID, answer("done"))
		q.progress(first.ID, "after the answer ", 1)
		q.reply(second.ID, answer("done"))
		<-loud
		<-quiet
		if !slices.Equal(heard, []string{"half 0.5"}) {
			t.Errorf("heard %q", heard)
		}
	})
}

// TestCommandsAtOnce has callers that wait and callers that give up, and a driver that answers all.
func TestCommandsAtOnce(t *testing.T) {
	q := newCommands()
	var callers, guest sync.WaitGroup
	done := make(chan struct{})
	guest.Go(func() {
		for {
			select {
			case <-q.arrived:
			case <-done:
				q.close()
				return
			}
			for e, ok := q.next(time.Now()); ok; e, ok = q.next(time.Now()) {
				if e.Tag() == driver.EventTagCommand {
					q.reply(e.Command().ID, answer(e.Command().Request.Invoke().Action))
				}
			}
		}
	})
	for n := range 8 {
		callers.Go(func() {
			for i := range 200 {
				want := fmt.Sprint(n, i)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if i%5 == 0 {
					cancel()
				}
				a, err := q.do(ctx, invoke(want), nil)
				cancel()
				if i%5 != 0 && (err != nil || a.Value.Invoke() != want) {
					t.Errorf("%s: %v %v", want, a, err)
				}
			}
		})
	}
	callers.Wait()
	close(done)
	guest.Wait()
}
