package client

import (
	"errors"

	"github.com/droverhq/drover/guests/modbus/link"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// The failure codes of the driver's own, besides exceptionReasons.
const (
	codeConfiguration = "configuration"
	codeBadCRC        = "bad-crc"
	codeBadFrame      = "bad-frame"
	codeException     = "exception-other"
)

// reasonSilent is that of a unit which does not answer.
const reasonSilent = "io.timeout"

// exceptionReasons are the codes of the specification's exceptions.
var exceptionReasons = [...]string{
	pdu.IllegalFunction:     "exception-1",
	pdu.IllegalAddress:      "exception-2",
	pdu.IllegalValue:        "exception-3",
	pdu.DeviceFailure:       "exception-4",
	pdu.Acknowledge:         "exception-5",
	pdu.DeviceBusy:          "exception-6",
	pdu.ParityError:         "exception-8",
	pdu.GatewayPath:         "exception-10",
	pdu.GatewayTargetSilent: "exception-11",
}

// codes declares all of them.
func codes() []sdk.Code {
	list := []sdk.Code{
		{
			Code: codeConfiguration, Kind: sdk.KindFatal,
			Meaning: "settings or addresses do not fit: the message says which, and what is expected",
		},
		{
			Code: codeBadCRC, Kind: sdk.KindRetryable,
			Meaning: "a reply came with a wrong check: look at wiring, termination, rate and parity",
		},
		{
			Code: codeBadFrame, Kind: sdk.KindRetryable,
			Meaning: "something came that is no reply: another protocol or mode, another unit, or noise on the line",
		},
		{
			Code: codeException, Kind: sdk.KindRetryable,
			Meaning: "the unit refused with an exception that the specification does not have",
		},
	}
	for e, reason := range exceptionReasons {
		if reason != "" {
			meaning := "the unit refused: " + pdu.Exception(e).Meaning()
			list = append(list, sdk.Code{Code: reason, Kind: sdk.KindRetryable, Meaning: meaning})
		}
	}
	return list
}

// verdict is what an error of a transaction means.
type verdict uint8

const (
	answered verdict = iota
	// refused: the unit answered with an exception.
	refused
	// unreachable: a gateway answered for a unit that it cannot reach.
	unreachable
	// silent: nothing came.
	silent
	// spoiled: the reply had a wrong check.
	spoiled
	// strange: what came was no reply.
	strange
	// lost: the stream is of no more use, or cancelled.
	lost
)

// judge returns what the error of a transaction means, and the reason of the samples that it makes bad.
func judge(err error) (verdict, string) {
	if err == nil {
		return answered, ""
	}
	if e, ok := errors.AsType[pdu.Exception](err); ok {
		if e.Unreachable() {
			return unreachable, exceptionReason(e)
		}
		return refused, exceptionReason(e)
	}
	if f, ok := errors.AsType[link.Fault](err); ok {
		switch f {
		case link.Silent:
			return silent, reasonSilent
		case link.BadCRC:
			return spoiled, codeBadCRC
		}
		return strange, codeBadFrame
	}
	if _, ok := errors.AsType[*pdu.FormatError](err); ok {
		return strange, codeBadFrame
	}
	return lost, ""
}

func exceptionReason(e pdu.Exception) string {
	if int(e) < len(exceptionReasons) && exceptionReasons[e] != "" {
		return exceptionReasons[e]
	}
	return codeException
}

// divisible says whether a smaller request could be granted where this exception refused a larger one. Units answer
// with an illegal value, too, when they have a limit of their own.
func divisible(err error) bool {
	e, ok := errors.AsType[pdu.Exception](err)
	return ok && (e == pdu.IllegalAddress || e == pdu.IllegalValue)
}
