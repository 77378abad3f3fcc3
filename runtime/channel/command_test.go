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

func read(id driver.PointID) driver.Request { return driver.RequestRead([]driver.PointID{id}) }

func write(id driver.PointID) driver.Request {
	return driver.RequestWrite([]driver.WriteRequest{{Point: id, Value: driver.ValueBoolean(true)}})
}

func answer(text string) Answer {
	return component.OK[driver.CommandError](driver.ResponseInvoke(text))
}

// serve publishes a session whose handle has the points 0 to 99 and these actions.
func serve(c *commands, generation uint64, actions ...string) {
	h := &handle{commands: c}
	for id := range driver.PointID(100) {
		h.points = append(h.points, id)
	}
	for _, name := range actions {
		h.actions = append(h.actions, driver.Action{Name: name})
	}
	c.queue.open(h, generation)
}

// desk is a channel without a driver, and the commands of its session.
func desk(actions ...string) (*Channel, *commands) {
	c := &Channel{queue: newQueue()}
	s := newCommands(c.queue)
	serve(s, 1, actions...)
	return c, s
}

// ended is what a call came to.
type ended struct {
	answer Answer
	err    error
	after  time.Duration
}

// call starts a call and returns where its end will be told.
func call(ctx context.Context, c *Channel, cmd Command) <-chan ended {
	out := make(chan ended, 1)
	begin := time.Now()
	go func() {
		a, err := c.Call(ctx, cmd)
		out <- ended{a, err, time.Since(begin)}
	}()
	return out
}

// taken has the driver take the next command, which must be there.
func taken(t *testing.T, c *commands) driver.Command {
	t.Helper()
	synctest.Wait()
	e, ok := c.next(time.Now())
	if !ok || e.Tag() != driver.EventTagCommand {
		t.Fatalf("no command: %v %v", e.Tag(), ok)
	}
	return e.Command()
}

func TestCommandIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk("echo")
		done := call(within(t, 3*time.Second), c, Command{Request: invoke("echo")})
		pass(time.Second)
		cmd := taken(t, s)
		if cmd.Request.Invoke().Action != "echo" || time.Duration(cmd.Deadline) != 2*time.Second {
			t.Errorf("took %q with %v left", cmd.Request.Invoke().Action, time.Duration(cmd.Deadline))
		}
		pass(time.Second)
		s.reply(cmd.ID, answer("pong"))
		s.reply(cmd.ID, answer("once more"))
		if e := <-done; e.err != nil || e.answer.Value.Invoke() != "pong" || e.after != 2*time.Second {
			t.Errorf("got %+v", e)
		}
		if _, more := s.next(time.Now()); more {
			t.Error("an answered command is still in the queue")
		}
	})
}

// TestNeverSent has the ends of commands that no driver took.
func TestNeverSent(t *testing.T) {
	tests := []struct {
		name string
		cmd  Command
		do   func(c *Channel, s *commands, p *Pending)
		want error
	}{
		{"the deadline", Command{Request: write(1)}, func(_ *Channel, _ *commands, p *Pending) { p.Abandon() }, ErrExpired},
		{"cancelled", Command{Request: write(1)}, func(_ *Channel, _ *commands, p *Pending) { p.Cancel(); p.Cancel() }, ErrCancelled},
		{"revoked", Command{Request: write(1)}, func(c *Channel, s *commands, _ *Pending) {
			s.close()
			c.queue.revoke()
		}, ErrNotReady},
		{"the next generation is not meant", Command{Request: write(1), Generation: 1}, func(c *Channel, s *commands, _ *Pending) {
			s.close()
			c.queue.park()
			serve(newCommands(c.queue), 2)
		}, ErrGeneration},
		{"the next handle has it not", Command{Request: invoke("echo")}, func(c *Channel, s *commands, _ *Pending) {
			s.close()
			c.queue.park()
			serve(newCommands(c.queue), 2, "other")
		}, ErrNotServed},
		{"a swap that fails", Command{Request: write(1)}, func(c *Channel, s *commands, _ *Pending) {
			s.close()
			c.queue.park()
			c.queue.revoke()
		}, ErrNotReady},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := desk("echo")
			p, err := c.Submit(tt.cmd)
			if err != nil {
				t.Fatal(err)
			}
			tt.do(c, s, p)
			<-p.Done()
			if _, err := p.Result(); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if e, more := s.next(time.Now()); more {
				t.Errorf("the driver heard %v", e.Tag())
			}
			p.Abandon()
			p.Cancel()
			if _, err := p.Result(); !errors.Is(err, tt.want) || !p.Taken().IsZero() {
				t.Errorf("its end became %v", err)
			}
		})
	}
}

func TestSubmitRefuses(t *testing.T) {
	c, s := desk("echo")
	for _, tt := range []struct {
		cmd  Command
		want error
	}{
		{Command{Request: invoke("other")}, ErrNotServed},
		{Command{Request: invoke("echo"), Generation: 2}, ErrGeneration},
		{Command{Request: invoke("echo"), Generation: 1}, nil},
		{Command{Request: read(99)}, nil},
		{Command{Request: read(100)}, ErrNotServed},
		{Command{Request: write(100)}, ErrNotServed},
		{Command{Request: driver.RequestInvoke(driver.ActionRequest{Action: "echo", Device: component.Some(driver.DeviceID(0))})}, ErrNotServed},
	} {
		if _, err := c.Submit(tt.cmd); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.cmd, err, tt.want)
		}
	}
	s.close()
	c.queue.revoke()
	if _, err := c.Submit(Command{Request: read(1)}); !errors.Is(err, ErrNotReady) {
		t.Errorf("without a session: %v", err)
	}
}

// TestOrder: writes and actions go ahead of reads, each as they came; what expired is left out.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk("echo")
		now := time.Now()
		for _, cmd := range []Command{
			{Request: read(1)}, {Request: write(2)}, {Request: write(3), Deadline: now.Add(time.Second)}, {Request: read(4)},
			{Request: invoke("echo")}, {Request: write(5)},
		} {
			if _, err := c.Submit(cmd); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Second)
		var got []string
		for e, ok := s.next(time.Now()); ok; e, ok = s.next(time.Now()) {
			switch r := e.Command().Request; r.Tag() {
			case driver.RequestTagRead:
				got = append(got, fmt.Sprint("r", r.Read()[0]))
			case driver.RequestTagWrite:
				got = append(got, fmt.Sprint("w", r.Write()[0].Point))
			default:
				got = append(got, r.Invoke().Action)
			}
		}
		if want := []string{"w2", "echo", "w5", "r1", "r4"}; !slices.Equal(got, want) {
			t.Errorf("served %q, want %q", got, want)
		}
	})
}

// TestSwap: what waits is served by the next session; what the first had taken is unknown.
func TestSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, first := desk("echo")
		inHand := call(within(t, time.Minute), c, Command{Request: write(1)})
		taken(t, first)
		waiting := call(within(t, time.Minute), c, Command{Request: write(2)})
		synctest.Wait()
		first.close()
		c.queue.park()
		second := newCommands(c.queue)
		parked := call(within(t, time.Minute), c, Command{Request: write(3), Generation: 2})
		synctest.Wait()
		if _, early := second.next(time.Now()); early {
			t.Error("a session that was not published yet took a command")
		}
		serve(second, 2)
		for _, want := range []driver.PointID{2, 3} {
			cmd := taken(t, second)
			if got := cmd.Request.Write()[0].Point; got != want {
				t.Errorf("served %d, want %d", got, want)
			}
			second.reply(cmd.ID, answer("done"))
		}
		if e := <-inHand; !errors.Is(e.err, ErrUnknown) || e.after != 0 {
			t.Errorf("the one that the first had: %+v", e)
		}
		for _, done := range []<-chan ended{waiting, parked} {
			if e := <-done; e.err != nil {
				t.Error(e.err)
			}
		}
		if _, more := first.next(time.Now()); more {
			t.Error("the first session took a command after its end")
		}
	})
}

// TestCommandOfNoDeadline: the driver is told a minute, after which it is not given the command any more.
func TestCommandOfNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk()
		late := call(t.Context(), c, Command{Request: write(1)})
		pass(30 * time.Second)
		soon := call(t.Context(), c, Command{Request: write(2)})
		pass(30 * time.Second)
		cmd := taken(t, s)
		if e := <-late; !errors.Is(e.err, ErrExpired) || cmd.Request.Write()[0].Point != 2 || cmd.Deadline != uint64(30*time.Second) {
			t.Errorf("took %+v, the other ended with %v", cmd, e.err)
		}
		s.reply(cmd.ID, answer("pong"))
		if e := <-soon; e.err != nil {
			t.Error(e.err)
		}
	})
}

func TestCommandIsUnknownOnceTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk("next")
		done := call(within(t, time.Second), c, Command{Request: write(1)})
		cmd := taken(t, s)
		other := call(t.Context(), c, Command{Request: invoke("next")})
		if e := <-done; !errors.Is(e.err, ErrUnknown) || e.after != time.Second {
			t.Errorf("got %+v", e)
		}
		<-s.arrived
		cancel, ok := s.next(time.Now())
		if !ok || cancel.Tag() != driver.EventTagCancel || cancel.Cancel() != cmd.ID {
			t.Errorf("the driver heard %v of %d, before other commands", cancel.Tag(), cancel.Cancel())
		}
		s.reply(cmd.ID, answer("too late"))
		s.reply(taken(t, s).ID, answer("pong"))
		if e := <-other; e.answer.Value.Invoke() != "pong" {
			t.Errorf("the late answer went to another call: %+v", e)
		}
	})
}

// TestCancelInHand: the driver hears it once, and its answer counts.
func TestCancelInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk("slow")
		p, err := c.Submit(Command{Request: invoke("slow")})
		if err != nil {
			t.Fatal(err)
		}
		cmd := taken(t, s)
		p.Cancel()
		p.Cancel()
		if e, ok := s.next(time.Now()); !ok || e.Tag() != driver.EventTagCancel || e.Cancel() != cmd.ID {
			t.Errorf("the driver heard %v", e.Tag())
		}
		if e, more := s.next(time.Now()); more {
			t.Errorf("and then %v", e.Tag())
		}
		s.reply(cmd.ID, answer("stopped half way"))
		<-p.Done()
		if a, err := p.Result(); err != nil || a.Value.Invoke() != "stopped half way" || p.Taken().IsZero() {
			t.Errorf("got %+v, %v", a, err)
		}
	})
}

// TestAnswerAtTheDeadline: an answer that is there wins over the end of the time.
func TestAnswerAtTheDeadline(t *testing.T) {
	c, s := desk("echo")
	p, err := c.Submit(Command{Request: invoke("echo")})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := s.next(time.Now())
	s.reply(e.Command().ID, answer("pong"))
	p.Abandon()
	if a, err := p.Result(); err != nil || a.Value.Invoke() != "pong" {
		t.Errorf("got %+v, %v", a, err)
	}
	if e, more := s.next(time.Now()); more {
		t.Errorf("the driver heard %v of an answered command", e.Tag())
	}
}

func TestQueueIsBounded(t *testing.T) {
	c, s := desk("echo")
	var all []*Pending
	for range maxCommands {
		p, err := c.Submit(Command{Request: invoke("echo")})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	first, _ := s.next(time.Now())
	if _, err := c.Submit(Command{Request: invoke("echo")}); !errors.Is(err, ErrQueueFull) {
		t.Errorf("one more than %d: %v", maxCommands, err)
	}
	s.reply(first.Command().ID, answer("room"))
	if _, err := c.Submit(Command{Request: read(1)}); err != nil {
		t.Errorf("there is room: %v", err)
	}
	for range maxCommands {
		s.next(time.Now())
	}
	s.close()
	c.queue.revoke()
	for i, p := range all {
		<-p.Done()
		if _, err := p.Result(); i > 0 && !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}
	next := newCommands(c.queue)
	serve(next, 2, "echo")
	if _, err := c.Submit(Command{Request: invoke("echo")}); err != nil {
		t.Errorf("the next session has no room: %v", err)
	}
}

// TestQueueClosed: the session is over.
func TestQueueClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := desk("sent", "waiting")
		sent := call(within(t, time.Minute), c, Command{Request: invoke("sent")})
		id := taken(t, s).ID
		waiting := call(within(t, time.Minute), c, Command{Request: invoke("waiting")})
		synctest.Wait()
		s.close()
		s.close()
		c.queue.revoke()
		if e := <-sent; !errors.Is(e.err, ErrUnknown) || e.after != 0 {
			t.Errorf("the one that the driver had: %+v", e)
		}
		if e := <-waiting; !errors.Is(e.err, ErrNotReady) || e.after != 0 {
			t.Errorf("the one that waited: %+v", e)
		}
		if _, err := c.Call(t.Context(), Command{Request: invoke("sent")}); !errors.Is(err, ErrNotReady) {
			t.Errorf("one after: %v", err)
		}
		s.reply(id, answer("too late"))
		s.progress(id, "too late", 1)
	})
}

func TestProgress(t *testing.T) {
	c, s := desk("loud", "quiet")
	var heard []string
	report := func(text string, fraction float64) { heard = append(heard, fmt.Sprint(text, fraction)) }
	loud, err1 := c.Submit(Command{Request: invoke("loud"), Report: report})
	quiet, err2 := c.Submit(Command{Request: invoke("quiet")})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	first, _ := s.next(time.Now())
	second, _ := s.next(time.Now())
	s.progress(first.Command().ID, "half ", 0.5)
	s.progress(second.Command().ID, "nobody listens ", 0.5)
	s.progress(99, "nobody ", 0.5)
	s.reply(first.Command().ID, answer("done"))
	s.progress(first.Command().ID, "after the answer ", 1)
	quiet.Abandon()
	s.progress(second.Command().ID, "after the end ", 1)
	<-loud.Done()
	<-quiet.Done()
	if !slices.Equal(heard, []string{"half 0.5"}) {
		t.Errorf("heard %q", heard)
	}
}

// TestCommandsAtOnce has callers that wait, give up and cancel, and sessions that answer, die and hand over: each call
// comes to one end, and what is answered is answered by what it asked for.
func TestCommandsAtOnce(t *testing.T) {
	c := &Channel{queue: newQueue()}
	var callers, sessions sync.WaitGroup
	stop := make(chan struct{})
	sessions.Go(func() {
		for generation := uint64(1); ; generation++ {
			s := newCommands(c.queue)
			serve(s, generation)
			if over := work(s, stop, generation); over {
				c.queue.revoke()
				return
			}
			if s.close(); generation%3 == 0 {
				c.queue.revoke()
			} else {
				c.queue.park()
			}
		}
	})
	for n := range driver.PointID(8) {
		callers.Go(func() {
			for i := range driver.PointID(200) {
				id := (n*7 + i) % 100
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if i%5 == 0 {
					cancel()
				}
				a, err := c.Call(ctx, Command{Request: write(id)})
				cancel()
				known := errors.Is(err, ErrUnknown) || errors.Is(err, ErrNotReady) || errors.Is(err, ErrExpired) && i%5 == 0
				if err != nil && !known || err == nil && a.Value.Invoke() != fmt.Sprint(id) {
					t.Errorf("%d: %v %v", id, a, err)
				}
			}
		})
	}
	callers.Wait()
	close(stop)
	sessions.Wait()
	if c.queue.inHand != 0 || len(c.queue.waiting) != 0 {
		t.Errorf("%d in hand, %d wait", c.queue.inHand, len(c.queue.waiting))
	}
}

// work answers commands until it dies with one in hand; true when it was stopped.
func work(s *commands, stop <-chan struct{}, generation uint64) bool {
	for n := uint64(0); ; {
		select {
		case <-s.arrived:
		case <-stop:
			s.close()
			return true
		}
		for e, ok := s.next(time.Now()); ok; e, ok = s.next(time.Now()) {
			if e.Tag() != driver.EventTagCommand {
				continue
			}
			if n++; n > 10+generation%7 {
				return false
			}
			s.reply(e.Command().ID, answer(fmt.Sprint(e.Command().Request.Write()[0].Point)))
		}
	}
}
