// Package supervise keeps one channel's sessions running: it makes attempts, enforces deadlines, waits between tries,
// counts crashes, hands over from one version to the next, and tells what it does.
//
// It knows neither WebAssembly nor NATS: a driver is a [Connector] that makes a [Session], and a native Go session is
// supervised by the same rules as a module.
//
// # An attempt
//
//	          Connect         Init             Run                Close
//	connecting ----> initializing ----> connected ----> (ended) ------> next attempt, or none
//
// There is at most one call into a connector or session at any time, and at most one session between the start of its
// Connect and the end of its Close. That is what keeps two instances from ever holding one port, and it is why a call
// that never returns blocks the channel (as stuck) instead of being left behind.
//
// # Endings
//
//	an error of any phase          its kind decides: retryable, fatal or stop
//	OutcomeDisconnected            a failure with code io.closed, so that each loss has a record
//	OutcomeReconnect               no failure; at once, or after Policy.ReconnectFloor when repeated within StableAfter
//	OutcomeFatal                   a failure of kind fatal
//	OutcomeYielded                 only when asked; else a failure with code driver.other
//	a panic                        a failure with code host.panic
//	a phase that ran out           the failure that it returns, else limit.deadline
//	Stop, Restart, a request, a    no failure, whatever the phase returns, unless it is a failure whose code
//	swap: we asked for the end     counts as a crash
//
// # Replace
//
//	state                                what Replace does
//	connected, running                   swap: yield, park, next with take-over, trial, or back to the previous one
//	connecting, initializing             adopt: the attempt ends without a failure, the next starts at once
//	reconnecting, disconnected           adopt: budgets are new, the next attempt starts at once
//	failed, quarantined                  adopt: cleared, the next attempt starts at once
//	stopped, not started, stopping       adopt: the next Start or Restart uses it
//	ending for a restart or a request    adopt: the attempt that follows uses it
//	a swap or its trial in progress      ErrReplacing
package supervise
