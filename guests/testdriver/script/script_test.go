package script

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

const ms = time.Millisecond

// config has a point of every type and count, and one to write.
func config(settings string) sdk.Config {
	c := sdk.Config{
		Settings:    settings,
		Connections: []sdk.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []sdk.Device{{ID: 1}},
	}
	for s := driver.ScalarTypeBoolean; s <= driver.ScalarTypeBytes; s++ {
		counts := []uint32{0, 3}
		if s >= driver.ScalarTypeText {
			counts = counts[:1]
		}
		for _, count := range counts {
			c.Points = append(c.Points, sdk.Point{
				ID: sdk.PointID(len(c.Points)), Device: 1, Scalar: s, Count: count, Period: 100 * ms,
			})
		}
	}
	c.Points[0].Access = driver.AccessReadWrite
	return c
}

func TestEveryTypeIsPublished(t *testing.T) {
	h := sdktest.New(t)
	h.At(100*ms*300-ms, h.Stop)
	c := config(`{}`)
	if _, err := h.Run(Driver{}, c); err != nil { // the fake host checks types, counts and ranges
		t.Fatal(err)
	}
	if got := len(h.Cycles()); got != 300 || len(h.Cycles()[299].Samples) != len(c.Points) {
		t.Errorf("%d cycles", got)
	}
	for i, want := range []uint64{1, 2, 3} {
		if got := h.Samples(16)[i].Value.Value.Unsigned(); got != want || c.Points[16].Scalar != driver.ScalarTypeUint64 {
			t.Errorf("cycle %d is %d", i, got)
		}
	}
}

func TestBehaviours(t *testing.T) {
	kind := func(k driver.FailureKind) component.Option[driver.FailureKind] { return component.Some(k) }
	var none component.Option[driver.FailureKind]
	tests := []struct {
		behaviour string
		want      driver.Failure
	}{
		{"fail", driver.Failure{Kind: none, Summary: "scripted failure", Cause: driver.CauseNone()}},
		{"fail:retryable", driver.Failure{Kind: kind(driver.FailureKindRetryable), Summary: "scripted failure", Cause: driver.CauseOwn("broken")}},
		{"fail:fatal", driver.Failure{Kind: kind(driver.FailureKindFatal), Summary: "scripted failure", Cause: driver.CauseOwn("broken")}},
		{"fail:stop", driver.Failure{Kind: kind(driver.FailureKindStop), Summary: "scripted failure", Cause: driver.CauseOwn("broken")}},
		{"own:what-ever", driver.Failure{Kind: none, Summary: "scripted failure", Cause: driver.CauseOwn("what-ever")}},
		{"io:not-found", driver.Failure{Kind: none, Summary: "scripted failure: no such port, host or name", Cause: driver.CauseIO(driver.IOErrorNotFound)}},
	}
	for _, tt := range tests {
		for _, phase := range []string{"configure", "connect", "init", "run"} {
			t.Run(phase+" "+tt.behaviour, func(t *testing.T) {
				_, err := sdktest.New(t).Run(Driver{}, config(`{"`+phase+`": "`+tt.behaviour+`"}`))
				e, ok := err.(*sdktest.Error)
				if !ok || e.Phase != phase {
					t.Fatalf("%v", err)
				}
				if diff := cmp.Diff(tt.want, e.Failure, cmp.AllowUnexported(driver.Cause{})); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestBehaviourOfOneCycleOfOneAttempt(t *testing.T) {
	for attempt, want := range map[uint64]int{1: 5, 2: 2, 3: 5} {
		h := sdktest.New(t)
		h.Session.Attempt = attempt
		h.At(450*ms, h.Stop)
		_, err := h.Run(Driver{}, config(`{"run": "fail", "cycle": 3, "attempts": [2]}`))
		if (err != nil) != (attempt == 2) || len(h.Cycles()) != want {
			t.Errorf("attempt %d: %d cycles, %v", attempt, len(h.Cycles()), err)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for behaviour, want := range map[string]driver.OutcomeTag{
		"disconnected": driver.OutcomeTagDisconnected, "reconnect:why": driver.OutcomeTagReconnect,
		"fatal": driver.OutcomeTagFatal, "yielded": driver.OutcomeTagYielded,
	} {
		outcome, err := sdktest.New(t).Run(Driver{}, config(`{"run": "`+behaviour+`", "cycle": 2}`))
		if err != nil || outcome.Tag() != want {
			t.Errorf("%s: %v, %v", behaviour, outcome.Tag(), err)
		}
	}
}

// TestObey has orders come in, in pieces and several at once: the first that fails ends the run.
func TestObey(t *testing.T) {
	for orders, want := range map[string]string{
		"ok\nown:broken\nown:hopeless\n": "broken",
		"ok\nexplode\n":                  "",
		strings.Repeat("x", 5000):        "",
	} {
		h := sdktest.New(t)
		line := h.Connect("main", driver.ConnectionKindTCP, nil)
		for i, piece := range []string{orders[:4], orders[4:]} {
			line.Push(sdktest.Reply{After: time.Duration(i+1) * time.Second, Data: []byte(piece)})
		}
		h.At(time.Hour, h.Stop)
		_, err := h.Run(Driver{}, config(`{"connection": "main", "obey": true}`))
		if e, ok := err.(*sdktest.Error); !ok || e.Failure.Cause.Own() != want || h.Elapsed() == time.Hour {
			t.Errorf("%.20q: %v after %s", orders, err, h.Elapsed())
		}
	}
}

func TestPanics(t *testing.T) {
	for _, behaviour := range []string{"panic", "nil", "divide"} {
		t.Run(behaviour, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = sdktest.New(t).Run(Driver{}, config(`{"run": "`+behaviour+`"}`))
		})
	}
}

func TestUnknownBehaviours(t *testing.T) {
	for _, b := range []string{"explode", "fail:often", "own:", "io:weather", "exit", "exit:x", "exit:256", "sleep:5"} {
		err := sdktest.New(t).Configure(Driver{}, config(`{"connect": "`+b+`"}`))
		e, ok := err.(*sdktest.Error)
		if !ok || e.Failure.Kind != component.Some(driver.FailureKindFatal) || !strings.HasPrefix(e.Failure.Summary, "settings: ") {
			t.Errorf("%s: %v", b, err)
		}
	}
}

// TestKnownBehaviours reads those that no test on this machine can let happen.
func TestKnownBehaviours(t *testing.T) {
	for _, b := range []Behaviour{
		"", "ok", "exit:3", "loop", "oom", "recurse", "sleep", "sleep:2d", "wait", "block-read", "encoding",
		"trap:memory-bounds", "flood:log",
	} {
		if f, err := b.parse(); err != nil || f == nil {
			t.Errorf("%s: %v", b, err)
		}
	}
}

func TestBlockRead(t *testing.T) {
	h := sdktest.New(t)
	h.Connect("main", driver.ConnectionKindTCP, nil)
	h.At(time.Hour, h.Stop)
	_, err := h.Run(Driver{}, config(`{"connection": "main", "connect": "block-read"}`))
	if e, ok := err.(*sdktest.Error); !ok || e.Failure.Cause.IO() != driver.IOErrorCancelled || h.Elapsed() != time.Hour {
		t.Error(err, h.Elapsed())
	}
	if _, err = sdktest.New(t).Run(Driver{}, config(`{"connect": "block-read"}`)); err == nil {
		t.Error("read from nothing")
	}
}

func TestRefusedBatches(t *testing.T) {
	for _, how := range []string{"unknown-point", "wrong-type", "wrong-phase"} {
		_, err := sdktest.New(t).Run(Driver{}, config(`{"publish": "`+how+`"}`))
		if err == nil || !strings.Contains(err.Error(), "publish: "+how) {
			t.Errorf("%s: %v", how, err)
		}
	}
}

func TestStateSurvives(t *testing.T) {
	h := sdktest.New(t)
	h.At(250*ms, h.Yield)
	outcome, err := h.Run(Driver{}, config(`{"keep": true, "finish": "300ms"}`))
	if err != nil || outcome.Tag() != driver.OutcomeTagYielded || h.Elapsed() != 550*ms {
		t.Fatal(outcome.Tag(), err, h.Elapsed())
	}
	next := sdktest.New(t)
	next.SetState(h.State())
	next.At(50*ms, next.Stop)
	if _, err := next.Run(Driver{}, config(`{"keep": true}`)); err != nil {
		t.Fatal(err)
	}
	if got := next.Samples(16)[0].Value.Value.Unsigned(); got != 4 {
		t.Errorf("the counter goes on with %d", got)
	}
}

func TestIgnoreYield(t *testing.T) {
	h := sdktest.New(t)
	h.At(50*ms, h.Yield)
	h.At(5*time.Second, h.Stop)
	if _, err := h.Run(Driver{}, config(`{"ignoreYield": true}`)); err != nil || h.Elapsed() != 5*time.Second {
		t.Error(err, h.Elapsed())
	}
}

func TestReconnects(t *testing.T) {
	h := sdktest.New(t)
	if _, err := h.Run(Driver{}, config(`{"reconnects": 3}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"scripted 1"}, h.Reconnects()); diff != "" || len(h.Logs()) != 3 {
		t.Error(diff, h.Logs())
	}
}

func TestWriteAndReadBack(t *testing.T) {
	h := sdktest.New(t)
	write := h.Command(driver.RequestWrite([]driver.WriteRequest{
		{Point: 0, Value: driver.ValueBoolean(true)}, {Point: 0, Value: driver.ValueSigned(1)}, {Point: 1}, {Point: 99},
	}), time.Second)
	read := h.Command(driver.RequestRead([]driver.PointID{0}), time.Second)
	h.At(250*ms, h.Stop)
	if _, err := h.Run(Driver{}, config(`{}`)); err != nil {
		t.Fatal(err)
	}
	a, _ := h.Answer(write)
	for i, r := range a.Value.Write() {
		if r.Failed != (i > 0) || r.Failed && r.Err.Tag() != driver.CommandErrorTagInvalid {
			t.Errorf("write %d: %+v", i, r)
		}
	}
	a, _ = h.Answer(read)
	if !a.Value.Read()[0].Value.Value.Boolean() {
		t.Errorf("%+v", a)
	}
	for _, s := range h.Samples(0) {
		if !s.Value.Value.Boolean() {
			t.Error("polls read the counter again")
		}
	}
}

func TestActions(t *testing.T) {
	tests := []struct {
		action, arguments, result string
		failed                    driver.CommandErrorTag
	}{
		{"echo", `{"a":[1]}`, `{"a":[1]}`, 0},
		{"slow", `{"steps":2,"step":"10ms"}`, `{"steps":2}`, 0},
		{"slow", `{"stops":2}`, "", driver.CommandErrorTagInvalid},
		{"slow", `{"steps":99}`, "", driver.CommandErrorTagUnknown}, // stopped in between
		{"refuse", "", "", driver.CommandErrorTagRefused},
		{"ignore", "", "", driver.CommandErrorTagUnknown}, // answered at the end
		{"reconnect", "", "true", 0},
		{"dance", "", "", driver.CommandErrorTagUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.action+tt.arguments, func(t *testing.T) {
			h := sdktest.New(t)
			id := h.Command(driver.RequestInvoke(driver.ActionRequest{Action: tt.action, Arguments: tt.arguments}), time.Second)
			h.At(time.Second, h.Stop)
			if _, err := h.Run(Driver{}, config(`{}`)); err != nil {
				t.Fatal(err)
			}
			a, ok := h.Answer(id)
			if !ok || a.Value.Invoke() != tt.result || a.Failed && a.Err.Tag() != tt.failed || a.Failed != (tt.result == "") {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestAnswers plays scripted answers to a write, a read and an action.
func TestAnswers(t *testing.T) {
	write := driver.RequestWrite([]driver.WriteRequest{{Point: 0, Value: driver.ValueBoolean(true)}})
	read := driver.RequestRead([]driver.PointID{0})
	echo := driver.RequestInvoke(driver.ActionRequest{Action: "echo", Arguments: "7"})
	own := func(name, answer string) string { return `{"answers": {"` + name + `": "` + answer + `"}}` }
	tests := []struct {
		settings string
		request  driver.Request
		want     string
		took     time.Duration
	}{
		{own("write", "refused:broken"), write, "refused broken", 0},
		{own("write", "delay:30ms invalid"), write, "invalid", 30 * ms},
		{own("p0", "unsupported"), write, "unsupported", 0},
		{own("read", "not-sent:closed"), read, "not-sent closed", 0},
		{own("echo", "unknown:timeout"), echo, "unknown timeout", 0},
		{own("invoke", "progress:50 delay:10ms"), echo, "7", 10 * ms},
		{own("invoke", "json:{"), echo, "{", 0},
		{own("write", "late:2"), write, "1 results", 150 * ms},
		{own("write", "late:1 refused:broken"), write, "refused broken", 50 * ms},
		{own("write", "other-kind"), write, "0 samples", 0},
		{own("read", "other-kind"), read, "0 results", 0},
		{own("write", "short"), write, "0 results", 0},
		{own("write", "ignore"), write, "unknown cancelled", 950 * ms},
		{own("write", "io:reset"), write, "unknown reset", 0},
		{own("write", "until-cancel unknown:cancelled"), write, "unknown cancelled", 300 * ms},
		{`{"attempts": [2], "answers": {"write": "invalid"}}`, write, "1 results", 0},
	}
	for _, tt := range tests {
		t.Run(tt.settings, func(t *testing.T) {
			h := sdktest.New(t)
			c := config(tt.settings)
			c.Points[0].Name = "p0"
			var id uint64
			var took time.Duration
			h.At(50*ms, func() { id = h.Command(tt.request, 10*time.Second) })
			h.At(350*ms, func() { h.Cancel(id) })
			h.At(time.Second, h.Stop)
			for at := 50 * ms; at <= time.Second; at += 10 * ms {
				h.At(at, func() {
					if _, ok := h.Answer(id); !ok {
						took = h.Elapsed() - 50*ms
					}
				})
			}
			_, _ = h.Run(Driver{}, c) // io:reset ends it
			a, ok := h.Answer(id)
			if got := short(a); !ok || got != tt.want || took < tt.took-10*ms || took > tt.took+20*ms {
				t.Errorf("%q after %v, want %q after %v", got, took, tt.want, tt.took)
			}
		})
	}
}

func short(a sdktest.Answer) string {
	switch e := a.Err; {
	case !a.Failed && a.Value.Tag() == driver.ResponseTagWrite:
		return fmt.Sprint(len(a.Value.Write()), " results")
	case !a.Failed && a.Value.Tag() == driver.ResponseTagRead:
		return fmt.Sprint(len(a.Value.Read()), " samples")
	case !a.Failed:
		return a.Value.Invoke()
	case e.Tag() == driver.CommandErrorTagRefused:
		return "refused " + e.Refused().F0
	case e.Tag() == driver.CommandErrorTagNotSent:
		return "not-sent " + e.NotSent().String()
	case e.Tag() == driver.CommandErrorTagUnknown:
		return "unknown " + e.Unknown().String()
	}
	return a.Err.Tag().String()
}

func TestAnswersRefused(t *testing.T) {
	for _, answer := range []string{"delay:5", "dance", "not-sent:rain", "trap:mouse", "late:x", "flood:rain"} {
		err := sdktest.New(t).Configure(Driver{}, config(`{"answers": {"write": "`+answer+`"}}`))
		if err == nil {
			t.Errorf("%q is taken", answer)
		}
	}
}

// TestFloods does each flood some times, by action, and for ever until a stop, by behaviour.
func TestFloods(t *testing.T) {
	refused := map[string]int{"too-large": 5, "unknown-point": 5, "wrong-type": 5, "large-state": 5, "reconnect": 4, "streams": 4}
	for _, what := range []string{
		"samples", "large", "log", "long-log", "stdout", "state", "status", "gauges", "poll", "too-large", "unknown-point",
		"wrong-type", "large-state", "reconnect", "streams",
	} {
		t.Run(what, func(t *testing.T) {
			h := sdktest.New(t)
			h.Connect("main", driver.ConnectionKindTCP, nil)
			id := h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "flood", Arguments: `{"what":"` + what + `","count":5}`}),
				time.Second)
			h.At(50*ms, h.Stop)
			if _, err := h.Run(Driver{}, config(`{}`)); err != nil {
				t.Fatal(err)
			}
			a, _ := h.Answer(id)
			if got, want := short(a), fmt.Sprintf(`{"refused":%d}`, refused[what]); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	h := sdktest.New(t)
	h.Room = 0
	h.At(0, h.Stop)
	if _, err := h.Run(Driver{}, config(`{"run": "flood:samples", "cycle": 1}`)); err != nil {
		t.Error(err)
	}
}

// TestDo has an action do behaviours.
func TestDo(t *testing.T) {
	for what, want := range map[string]string{"ok": "null", "wait:20ms": "null", "io:reset": "unknown reset", "dance": "invalid"} {
		h := sdktest.New(t)
		id := h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "do", Arguments: `{"what":"` + what + `"}`}), time.Second)
		h.At(time.Second, h.Stop)
		_, _ = h.Run(Driver{}, config(`{}`)) // io:reset ends it
		if a, _ := h.Answer(id); short(a) != want {
			t.Errorf("%s: %s, want %s", what, short(a), want)
		}
	}
}

func TestDial(t *testing.T) {
	h := sdktest.New(t)
	h.Connect("127.0.0.1:1", driver.ConnectionKindTCP, nil).ReadyErr = sdk.ErrRefused
	_, err := h.Run(Driver{}, config(`{"connect": "dial:127.0.0.1:1"}`))
	if e, ok := err.(*sdktest.Error); !ok || e.Failure.Cause.IO() != driver.IOErrorRefused {
		t.Error(err)
	}
	_, err = sdktest.New(t).Run(Driver{}, config(`{"connect": "dial:127.0.0.1:1"}`))
	if e, ok := err.(*sdktest.Error); !ok || e.Failure.Cause.IO() != driver.IOErrorNotFound {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	h := sdktest.New(t)
	h.At(50*ms, h.Stop)
	if _, err := h.Run(Driver{}, config(`{"status": "degraded"}`)); err != nil {
		t.Fatal(err)
	}
	if s, ok := h.StatusOf(1); !ok || s.Status != driver.StatusDegraded {
		t.Errorf("%v %+v", ok, s)
	}
}

func TestSlowIsCancelled(t *testing.T) {
	h := sdktest.New(t)
	id := h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "slow"}), time.Second)
	h.At(150*ms, func() { h.Cancel(id) })
	h.At(time.Second, h.Stop)
	if _, err := h.Run(Driver{}, config(`{}`)); err != nil {
		t.Fatal(err)
	}
	if a, _ := h.Answer(id); a.Err.Unknown() != driver.IOErrorCancelled || !a.Failed || len(h.ProgressOf(id)) != 1 {
		t.Errorf("%+v after %q", a, h.ProgressOf(id))
	}
}

func TestSchemas(t *testing.T) {
	for name, text := range map[string]string{"settings": settingsSchema, "address": addressSchema} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Compile(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaHasEverySetting compares the schema's properties with the struct's.
func TestSchemaHasEverySetting(t *testing.T) {
	_, err := sdk.Decode(`{"": 0}`, Settings{})
	_, known, _ := strings.Cut(err.Error(), "there are ")
	for name := range strings.SplitSeq(known, ", ") {
		if !strings.Contains(settingsSchema, `    "`+name+`": {`) {
			t.Errorf("the schema lacks %s", name)
		}
	}
}
