package supervise

import "github.com/droverhq/drover/runtime/failure"

// Connector makes the sessions of one driver with one configuration. Its own constructor is synchronous and does no
// I/O. A connector may besides be a Classifier, a Digester or a Judge.
type Connector interface {
	// Connect opens the transport and does the protocol's handshake. It returns soon after ctx is done, which is at
	// Deadlines.Connect at the latest. When it returns an error it has released everything that it opened, and the
	// session is ignored.
	Connect(ctx *Context) (Session, error)
}

// Session is one connection to a device. Its methods are called one at a time, in the order Init, Run, Close, each on
// any goroutine.
type Session interface {
	// Init does what must be done before values flow. Its success is what Ready means: the handle is published.
	// It returns soon after ctx is done, which is at Deadlines.Init at the latest.
	Init(ctx *Context) (Handle, error)

	// Run drives the session until it ends. It has no deadline: it returns soon after ctx is done, and returns
	// OutcomeYielded when ctx.Yield() was closed and it has finished what was on the wire. The outcome is ignored when
	// there is an error.
	Run(ctx *Context) (Outcome, error)

	// Close releases the session and returns when all its resources are released. It is called once after the last
	// of the other calls, whatever they returned.
	//
	// With keep, which is given only after Run yielded, leased lines stay open for the session that takes over. If
	// then none takes over, Close(false) is called on the same session once more, to release what is still kept.
	// The error is logged and changes nothing.
	Close(keep bool) error
}

// Handle is what a session serves once Ready: a type of the connector's own. The supervisor only carries it.
type Handle any

// Classifier is a Connector that knows what the errors of its own libraries mean. It is asked about errors that hold no
// *failure.Failure; nil leaves the decision to failure.From.
type Classifier interface {
	Classify(phase failure.Phase, err error) *failure.Failure
}

// Digester is a Connector with a digest of its code, for failure records.
type Digester interface {
	Digest() string
}

// Judge is a Connector that has the last word on a swap to it: at the end of the trial, Judge returns nil, or the failure
// for which the previous connector is brought back. It is called on the supervisor's loop and does not block.
type Judge interface {
	Judge() *failure.Failure
}

type outcomeKind uint8

const (
	outcomeDisconnected outcomeKind = iota
	outcomeReconnect
	outcomeFatal
	outcomeYielded
)

// Outcome is how a run ended. The zero value is OutcomeDisconnected.
type Outcome struct {
	kind    outcomeKind
	reason  string
	failure *failure.Failure
}

// OutcomeDisconnected is the outcome of a run that lost its device.
func OutcomeDisconnected() Outcome { return Outcome{} }

// OutcomeReconnect is the outcome of a run that wants a new session, and says why.
func OutcomeReconnect(reason string) Outcome {
	return Outcome{kind: outcomeReconnect, reason: reason}
}

// OutcomeFatal is the outcome of a run that cannot go on, and trying again cannot help. The failure's kind is taken
// as fatal.
func OutcomeFatal(f *failure.Failure) Outcome { return Outcome{kind: outcomeFatal, failure: f} }

// OutcomeYielded is the outcome of a run that was asked to yield, and has: nothing of its own is left on the wire.
func OutcomeYielded() Outcome { return Outcome{kind: outcomeYielded} }
