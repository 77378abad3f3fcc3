package message

// The headers of a call and its answer. Nats-Service-Error and its code are those of NATS services (ADR-32).
const (
	HeaderTimeout     = "Drover-Timeout"
	HeaderError       = "Nats-Service-Error"
	HeaderErrorStatus = "Nats-Service-Error-Code"
	// HeaderErrorCode carries Error.Code.
	HeaderErrorCode = "Drover-Error-Code"
)

// Error is what a call is refused with: on the wire three headers, and the body besides, for those who only print it.
type Error struct {
	// Status is a number in the manner of HTTP: 400 body, 404 no such thing, 429 too many, 500 ours, 503 not ready.
	Status int `json:"status"`
	// Code is stable: errors.Is finds it.
	Code string `json:"code"`
	// Message is one line for people.
	Message string `json:"message"`
}

// The errors of calls, for errors.Is: they compare by code.
var (
	ErrBody        = &Error{400, "call.body", "the body cannot be read"}
	ErrUnknownVerb = &Error{404, "call.unknown-verb", "there is no such verb"}
	ErrNotFound    = &Error{404, "call.not-found", "there is no such thing"}
	ErrConflict    = &Error{409, "call.conflict", "not possible in this state"}
	ErrBusy        = &Error{429, "call.busy", "too many calls at once"}
	ErrInternal    = &Error{500, "call.internal", "the node failed"}
	ErrNotReady    = &Error{503, "call.not-ready", "not ready"}
	ErrExpired     = &Error{504, "call.expired", "no answer within the time of the call"}
)

// With returns an error of the same status and code with a message of its own.
func (e *Error) With(message string) *Error { return &Error{e.Status, e.Code, message} }

// Error implements error.
func (e *Error) Error() string { return e.Message + " (" + e.Code + ")" }

// Is says whether target is an Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
