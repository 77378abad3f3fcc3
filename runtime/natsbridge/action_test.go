package natsbridge_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// long is an action that tells its progress and goes on until it is released or cancelled.
func long(release <-chan struct{}) func(*order) {
	return func(o *order) {
		o.take()
		o.Report("half", 0.5)
		o.Report("odd", 7)
		go func() {
			select {
			case <-release:
				o.end(component.OK[driver.CommandError](driver.ResponseInvoke(`{"done":true}`)), nil)
			case <-o.cancelled:
				o.fail(driver.CommandErrorUnknown(driver.IOErrorCancelled))
			}
		}()
	}
}

// TestLongAction: whoever does not wait for it is told so, and hears how it ends as an event.
func TestLongAction(t *testing.T) {
	release := make(chan struct{})
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": newBoiler(t, long(release))}})
	c := startCaller(t, s)
	events := c.listen("drover.n1.boiler.event.action")
	const header = "Drover-Timeout: 1ms\nDrover-Key: k1\nDrover-Caller: alice"
	for range 2 { // again: the action goes on, and is not done twice
		answer := decoded[message.ActionAnswer](t, c.call("boiler.invoke.water.flush", header, "").Data)
		if answer.Status != 202 || answer.ID != "k1" || answer.Result != nil {
			t.Errorf("got %+v", answer)
		}
	}
	for _, want := range []string{"half 0.5", "odd 0"} {
		e := detail[message.ActionEvent](t, next(t, events))
		text, fraction, _ := strings.Cut(want, " ")
		if e.Status != 202 || e.ID != "k1" || e.Device != "water" || e.Action != "flush" || e.Caller.Name != "alice" ||
			e.Text != text || (e.Fraction == 0.5) != (fraction == "0.5") {
			t.Errorf("progress %+v, want %s", e, want)
		}
	}
	close(release)
	if e := detail[message.ActionEvent](t, next(t, events)); e.Status != 200 || string(e.Result) != `{"done":true}` || e.Duration <= 0 {
		t.Errorf("the end %+v", e)
	}
	answer := decoded[message.ActionAnswer](t, c.call("boiler.invoke.water.flush", header, "").Data)
	if answer.Status != 200 || string(answer.Result) != `{"done":true}` {
		t.Errorf("its answer afterwards: %+v", answer)
	}
	if got := failed(t, c.call("boiler.cancel.k1", "", "")); got.Status != 404 {
		t.Errorf("cancel of one that is over: %+v", got)
	}
}

// TestCancel: the driver hears it, and its answer is the action's end.
func TestCancel(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": newBoiler(t, long(nil))}})
	c := startCaller(t, s)
	events := c.listen("drover.n1.boiler.event.action")
	running := decoded[message.ActionAnswer](t, c.call("boiler.invoke._.flush", "Drover-Timeout: 1ms", "").Data)
	if running.Status != 202 || running.ID == "" {
		t.Fatalf("got %+v", running)
	}
	if got := decoded[message.CancelAnswer](t, c.call("boiler.cancel."+running.ID, "", "").Data); got.ID != running.ID {
		t.Errorf("cancel: %+v", got)
	}
	for {
		e := detail[message.ActionEvent](t, next(t, events))
		if e.Status == 202 {
			continue
		}
		if e.ID != running.ID || e.Device != "" || !errors.Is(e.Error, message.ErrUnknown) {
			t.Errorf("got %+v", e)
		}
		break
	}
}

// TestKeys: the first answer again, never a second try, but a first one for what was not sent.
func TestKeys(t *testing.T) {
	var tries atomic.Int32
	counted := func(drive func(*order)) func(*order) {
		return func(o *order) { tries.Add(1); drive(o) }
	}
	waiting := make(chan *order, 1)
	down := newBoiler(t, counted(obey))
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{
		"ok": newBoiler(t, counted(obey)), "silent": newBoiler(t, counted(ignore)), "down": down,
		"slow": newBoiler(t, counted(func(o *order) { waiting <- o })),
		"late": newBoiler(t, counted(func(o *order) { o.fail(driver.CommandErrorNotSent(driver.IOErrorTimeout)) })),
	}})
	c := startCaller(t, s)
	write := func(channel, header, body string) string {
		m := c.call(channel+".write.water.limit", "Drover-Key: k\n"+header, body)
		return m.Header.Get("Drover-Error-Code") + times.ReplaceAllString(string(m.Data), "TS")
	}
	expect := func(what string, want int32) {
		t.Helper()
		if got := tries.Swap(0); got != want {
			t.Errorf("%s: %d tries, want %d", what, got, want)
		}
	}
	first := write("ok", "", "1")
	if again := write("ok", "Drover-Timeout: 5s", "1"); again != first || !strings.Contains(first, `"v":1`) {
		t.Errorf("again: %s after %s", again, first)
	}
	for _, other := range []string{write("ok", "", "2"), write("ok", "Drover-Generation: 1", "1")} {
		if !strings.HasPrefix(other, "command.key") {
			t.Errorf("another command: %s", other)
		}
	}
	expect("the same command", 1)

	for range 2 {
		if got := write("silent", "Drover-Timeout: 1ms", "1"); !strings.HasPrefix(got, "command.unknown") {
			t.Errorf("unknown: %s", got)
		}
	}
	expect("an unknown outcome", 1)

	for _, refused := range []string{"4000", "true"} {
		write("late", "", refused)
	}
	for range 2 {
		if got := write("late", "", "1"); !strings.HasPrefix(got, "command.expired") {
			t.Errorf("never sent: %s", got)
		}
	}
	expect("what the driver has not sent", 2)

	down.mu.Lock()
	down.refuse = message.ErrNotReady
	down.mu.Unlock()
	if got := write("down", "", "1"); !strings.HasPrefix(got, "call.not-ready") {
		t.Errorf("down: %s", got)
	}
	down.mu.Lock()
	down.refuse = nil
	down.mu.Unlock()
	if got := write("down", "", "1"); !strings.Contains(got, `"v":1`) {
		t.Errorf("up again: %s", got)
	}
	expect("once it is up again", 1)

	answers := c.listen("answers.*")
	for _, name := range []string{"a", "b", "c"} {
		m := request("slow.write.water.limit", "Drover-Key: k", "1")
		m.Reply = "answers." + name
		if err := c.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	o := <-waiting
	// Another endpoint's answer comes after those of the writes that were sent before it.
	if got := write("slow", "", "2"); !strings.HasPrefix(got, "command.key") {
		t.Errorf("another command while the first runs: %s", got)
	}
	obey(o)
	for range 3 {
		if m := next(t, answers); m.Header.Get("Drover-Error-Code") != "" {
			t.Errorf("%s: %s", m.Subject, m.Data)
		}
	}
	expect("three callers at once", 1)
}
