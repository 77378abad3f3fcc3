package sdk

import "github.com/droverhq/drover/abi/driver"

// Outcome is how a session's run ended when it did not fail. The zero value is Disconnected.
type Outcome struct{ lowered driver.Outcome }

// Disconnected says that the device is gone. It is also what to return on a stop, when nobody asks any more.
func Disconnected() Outcome { return Outcome{driver.OutcomeDisconnected()} }

// Reconnect asks for a new session and says why.
func Reconnect(reason string) Outcome { return Outcome{driver.OutcomeReconnect(line(reason))} }

// Yielded says that the driver was asked to yield, and has: nothing is on the wire and the state is saved.
func Yielded() Outcome { return Outcome{driver.OutcomeYielded()} }

// FatalOutcome says that the session cannot go on and trying again cannot help. Unlike an error of KindFatal it leaves
// no choice to the error's own kind.
func FatalOutcome(err error) Outcome {
	f := failureOf(&Error{Kind: KindFatal, Err: err})
	return Outcome{driver.OutcomeFatal(f)}
}
