package natsbridge

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// longestAction is how long an action may go on that its caller does not wait for any more.
	longestAction = time.Hour
	// cancelGrace is how long a driver has to answer after an action was cancelled.
	cancelGrace = 10 * time.Second
)

// action is an action on its way. One that has told how far it is when its caller's time is over is a long one: it goes
// on, and the caller is told so.
type action struct {
	job       *job
	id        string
	arguments driver.ActionRequest
	pending   Pending
	cancelled chan struct{}

	mu         sync.Mutex
	progressed bool
	isOver     bool
	isTaken    bool // back: cancelled is closed
}

// planInvoke reads the arguments: JSON, null where there is no body.
func planInvoke(j *job) (plan, error) {
	a := &action{job: j, id: j.key, arguments: driver.ActionRequest{Action: j.name, Arguments: string(j.body)}, cancelled: make(chan struct{})}
	if a.id == "" {
		a.id = strings.ToLower(rand.Text())
	}
	if len(j.body) == 0 {
		a.arguments.Arguments = "null"
	}
	if !json.Valid([]byte(a.arguments.Arguments)) {
		return nil, message.ErrBody.With("the arguments are not JSON")
	}
	if j.device != itself {
		id, _, ok := j.served.Device(j.device)
		if !ok {
			return nil, j.noDevice()
		}
		a.arguments.Device = component.Some(id)
	}
	j.action = a
	return a, j.served.CheckArguments(a.arguments)
}

func (a *action) request(*job) driver.Request { return driver.RequestInvoke(a.arguments) }

func (a *action) finish(j *job, r driver.Response) (any, error) {
	if r.Tag() != driver.ResponseTagInvoke {
		return nil, message.ErrUnknown.With("sent, and the driver's answer does not fit")
	}
	result := json.RawMessage(r.Invoke())
	if len(result) > 0 && !json.Valid(result) {
		return nil, message.ErrAnswer.With("the action was done, and its result is not JSON")
	}
	return message.ActionAnswer{Header: j.calls.bridge.header(), Status: message.StatusDone, ID: a.id, Result: result}, nil
}

// report tells the progress as an event. It is called on the session's goroutine.
func (a *action) report(text string, fraction float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.isOver {
		return
	}
	a.progressed = true
	e := a.event(message.StatusRunning)
	e.Text = text
	if fraction >= 0 && fraction <= 1 {
		e.Fraction = fraction
	}
	a.say(e)
}

func (a *action) ended(_ *job, result any, err *message.Error) {
	a.job.calls.actions.remove(a)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.isOver = true
	e := a.event(message.StatusDone)
	if err != nil {
		e.Status, e.Error = err.Status, err
	}
	if done, ok := result.(message.ActionAnswer); ok {
		e.Result = done.Result
	}
	a.say(e)
}

func (a *action) event(status int) message.ActionEvent {
	e := message.ActionEvent{
		ID: a.id, Action: a.arguments.Action, Caller: a.job.caller, Status: status,
		Duration: time.Since(a.job.arrived).Seconds(),
	}
	if a.arguments.Device.Some {
		e.Device = a.job.device
	}
	return e
}

func (a *action) say(e message.ActionEvent) {
	a.job.calls.bridge.Event(a.job.channel, "action", e)
}

// goesOn says whether the action is a long one that the driver is at.
func (a *action) goesOn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.progressed && a.job.calls.ctx.Err() == nil
}

// cancellation is closed when the action is cancelled; nil for what is none.
func (a *action) cancellation() <-chan struct{} {
	if a == nil {
		return nil
	}
	return a.cancelled
}

func (a *action) cancel() {
	a.mu.Lock()
	if !a.isTaken {
		a.isTaken = true
		close(a.cancelled)
	}
	a.mu.Unlock()
	a.pending.Cancel()
}

// running answers the caller that the action goes on.
func (j *job) running() {
	j.answer(message.ActionAnswer{Header: j.calls.bridge.header(), Status: message.StatusRunning, ID: j.action.id}, nil, false)
	if j.keyed == nil {
		j.asker = asker{} // it has its answer
	}
}
