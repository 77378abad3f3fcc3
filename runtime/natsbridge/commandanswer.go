package natsbridge

import (
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// wait waits for the driver and answers.
func (j *job) wait() {
	if !j.until(j.deadline) && j.action != nil && j.action.goesOn() {
		j.running()
		j.until(time.Now().Add(longestAction))
	}
	j.pending.Abandon()
	j.taken = j.pending.Taken()
	answer, err := j.pending.Result()
	switch {
	case err != nil:
		j.end(nil, j.explain(err))
	case answer.Failed:
		j.end(nil, deviceError(answer.Err, j.verb))
	default:
		result, err := j.plan.finish(j, answer.Value)
		j.end(result, err)
	}
}

// until waits for the driver, until a time at most; false when it has not answered.
func (j *job) until(end time.Time) bool {
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	cancelled := j.action.cancellation()
	for {
		select {
		case <-j.pending.Done():
			return true
		case <-timer.C:
			return false
		case <-j.calls.ctx.Done():
			return false
		case <-cancelled:
			cancelled = nil
			timer.Reset(min(time.Until(end), cancelGrace))
		}
	}
}

// end answers, for good.
func (j *job) end(result any, err error) {
	var told *message.Error
	if err != nil {
		told = wireError(err)
	}
	if j.plan != nil {
		j.plan.ended(j, result, told)
	}
	j.answer(result, told, true)
	j.traced(told)
}

// answer answers the caller, and those who repeated the command meanwhile.
func (j *job) answer(result any, told *message.Error, last bool) {
	a := j.calls.encode(j.endpoint, result, told)
	if j.keyed == nil {
		j.calls.send(j.asker, a)
		return
	}
	for _, to := range j.calls.keys.answer(j.keyed, a, last, j.sent(result, told)) {
		j.calls.send(to, a)
	}
}

// sent says whether the command was sent, or may have been: then it is never tried again under its key.
func (j *job) sent(result any, told *message.Error) bool {
	if w, ok := j.plan.(*writing); ok && w.sent {
		return true
	}
	return result != nil && told == nil || told != nil && mayBeSent(told)
}
