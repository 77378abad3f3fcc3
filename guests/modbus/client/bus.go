package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/guests/modbus/link"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// bus is the connection that all units of a channel share. It does one transaction at a time.
type bus struct {
	ctx  *sdk.Context
	link link.Link
	// pause is between a reply and the next request.
	pause time.Duration
	// silences in a row end the session when they reach limit; 0 is no limit.
	silences, limit int

	idleSince time.Time
	busy      time.Duration
}

// read asks a unit and returns the data of its answer, valid until the next call. After a reply with a wrong check it
// asks again, as often as the unit's settings say.
func (b *bus) read(u *unit, request *pdu.Read, timeout time.Duration) ([]byte, error) {
	for try := 0; ; try++ {
		response, err := b.ask(u, request, timeout)
		if err == nil {
			return request.Data(response)
		}
		if what, _ := judge(err); what != spoiled || try >= u.retries {
			return nil, err
		}
	}
}

// ask does one request and returns the response that grants it, valid until the next call; nil of a broadcast. After an
// error that judge does not call lost, the bus is still of use.
func (b *bus) ask(u *unit, request pdu.Request, timeout time.Duration) ([]byte, error) {
	response, err := b.transact(u, request, timeout)
	what, _ := judge(err)
	b.note(u, what, err)
	if what == silent && b.limit > 0 && b.silences >= b.limit {
		return nil, sdk.Retryable("", "%d requests in a row without an answer: %w", b.silences, sdk.ErrTimeout)
	}
	if what == lost {
		return nil, b.lost(u, request, err)
	}
	return response, err
}

func (b *bus) transact(u *unit, request pdu.Request, timeout time.Duration) ([]byte, error) {
	if err := b.rest(); err != nil {
		return nil, err
	}
	sent, received := b.link.Traffic()
	start := b.ctx.Now()
	response, err := b.link.Exchange(u.address, request, timeout)
	b.idleSince = b.ctx.Now()
	took := b.idleSince.Sub(start)
	b.busy += took
	sentAfter, receivedAfter := b.link.Traffic()
	u.figures.add(bytesSent, float64(sentAfter-sent))
	u.figures.add(bytesReceived, float64(receivedAfter-received))
	if err != nil || u.broadcast {
		return nil, err
	}
	u.figures.set(roundTrip, took.Seconds())
	return response, request.Check(response)
}

// rest waits until the pause after the last transaction is over.
func (b *bus) rest() error {
	if b.pause == 0 || b.idleSince.IsZero() {
		return nil
	}
	if left := b.pause - b.ctx.Now().Sub(b.idleSince); left > 0 {
		return b.ctx.Sleep(left)
	}
	return nil
}

// note counts what came of a transaction.
func (b *bus) note(u *unit, what verdict, err error) {
	u.figures.add(requests, 1)
	switch {
	case what == silent:
		b.silences++
	case !u.broadcast:
		b.silences = 0
	}
	switch what {
	case silent:
		u.figures.add(timeouts, 1)
	case spoiled:
		u.figures.add(crcErrors, 1)
	case strange:
		u.figures.add(frameErrors, 1)
	case refused, unreachable:
		e, _ := errors.AsType[pdu.Exception](err)
		u.figures.add(exceptions, 1)
		u.figures.set(lastException, float64(e))
	}
}

// lost says during what the stream was lost. What is no I/O error is a broken header.
func (b *bus) lost(u *unit, request pdu.Request, err error) error {
	err = fmt.Errorf("unit %d, %v: %w", u.address, request, err)
	if _, ok := errors.AsType[sdk.IOError](err); ok {
		return err
	}
	return &sdk.Error{Code: codeBadFrame, Err: err}
}

// takeDuty returns the share of a time in which the bus was in use since the last call.
func (b *bus) takeDuty(since time.Duration) float64 {
	duty := b.busy.Seconds() / since.Seconds()
	b.busy = 0
	return min(duty, 1)
}
