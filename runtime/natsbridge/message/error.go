package message

// The headers of a call and its answer. Nats-Service-Error and its code are those of NATS services (ADR-32).
const (
	// HeaderTimeout is how long the caller waits from the arrival of the call, in Go's notation: "1500ms".
	HeaderTimeout = "Drover-Timeout"
	// HeaderNotAfter is when the caller stops waiting, RFC 3339: a command that is not sent by then never is.
	HeaderNotAfter = "Drover-Not-After"
	// HeaderKey makes a command idempotent, and names an action: a token.
	HeaderKey = "Drover-Key"
	// HeaderGeneration is the only generation of the channel's handle that may do the command.
	HeaderGeneration = "Drover-Generation"
	// HeaderCaller is who the caller says it is.
	HeaderCaller = "Drover-Caller"

	HeaderError       = "Nats-Service-Error"
	HeaderErrorStatus = "Nats-Service-Error-Code"
	// HeaderErrorCode carries Error.Code.
	HeaderErrorCode = "Drover-Error-Code"
)

// Error is what a call is refused with: on the wire three headers, and the body besides, for those who only print it.
type Error struct {
	// Status is a number in the manner of HTTP: 400 body, 403 not allowed, 404 no such thing, 409 not in this state,
	// 422 value, 429 too many, 500 ours or unknown, 502 the device's, 503 not ready, 504 too late.
	Status int `json:"status"`
	// Code is stable: errors.Is finds it.
	Code string `json:"code"`
	// Message is one line for people.
	Message string `json:"message"`
	// State is the channel's where that is why, NextRetry when it is tried again.
	State     string `json:"state,omitempty"`
	NextRetry Time   `json:"next_retry,omitzero"`
}

// The errors of calls, for errors.Is: they compare by code.
var (
	ErrBody         = define(400, "call.body", "the body or a header cannot be read")
	ErrNotPermitted = define(403, "call.not-permitted", "this node does not take such calls")
	ErrUntrusted    = define(403, "module.untrusted", "no trusted key has signed the module")
	ErrRefused      = define(403, "module.refused", "the module cannot be a driver of this node")
	ErrUnknownVerb  = define(404, "call.unknown-verb", "there is no such verb")
	ErrNotFound     = define(404, "call.not-found", "there is no such thing")
	ErrNoModule     = define(404, "module.not-found", "the node has no such module")
	ErrConflict     = define(409, "call.conflict", "not possible in this state")
	ErrBusy         = define(429, "call.busy", "too many calls at once")
	ErrInternal     = define(500, "call.internal", "the node failed")
	ErrNotReady     = define(503, "call.not-ready", "not ready")
	ErrExpired      = define(504, "call.expired", "no answer within the time of the call")
)

// The errors of commands. Of these, only ErrUnknown leaves open whether the device did it; none but it and what the
// device refused was sent.
var (
	ErrReadOnly   = define(403, "command.read-only", "the point cannot be written")
	ErrWriteOnly  = define(403, "command.write-only", "the point cannot be read")
	ErrGeneration = define(409, "command.generation", "another generation serves the channel")
	ErrKey        = define(409, "command.key", "the key was used for another command")
	ErrCancelled  = define(409, "command.cancelled", "cancelled before it was sent")
	ErrType       = define(422, "command.type", "the value is not of the point's type")
	ErrRange      = define(422, "command.range", "the value is outside of the point's range")
	ErrInvalid    = define(422, "command.invalid", "the driver does not take the value or the arguments")
	ErrUnknown    = define(500, "command.unknown", "sent, the outcome is not known")
	ErrAnswer     = define(502, "command.answer", "the driver's answer does not fit the command")
	ErrNeverSent  = define(504, "command.expired", "never sent: the time was over")
)

// DevicePrefix starts the codes of what a device refused, with status 502.
const DevicePrefix = "device."

func define(status int, code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

// With returns an error of the same status and code with a message of its own.
func (e *Error) With(message string) *Error { return define(e.Status, e.Code, message) }

// Error implements error.
func (e *Error) Error() string { return e.Message + " (" + e.Code + ")" }

// Is says whether target is an Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
