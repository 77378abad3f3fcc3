package client

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func TestErrorOf(t *testing.T) {
	tests := []struct {
		text, status, code string
		want               *message.Error
	}{
		{"", "", "", nil},
		{"no channel", "404", "call.not-found", &message.Error{Status: 404, Code: "call.not-found", Message: "no channel"}},
		{"foreign", "429", "", &message.Error{Status: 429, Code: "call.internal", Message: "foreign"}},
		{"foreign", "", "", &message.Error{Status: 500, Code: "call.internal", Message: "foreign"}},
		{"", "200", "x", &message.Error{Status: 500, Code: "x"}},
		{"", "many", "x", &message.Error{Status: 500, Code: "x"}},
	}
	for _, tt := range tests {
		err := errorOf(nats.Header{
			message.HeaderError: {tt.text}, message.HeaderErrorStatus: {tt.status}, message.HeaderErrorCode: {tt.code},
		})
		got, _ := errors.AsType[*message.Error](err)
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%q %q %q: got %v, want %v", tt.text, tt.status, tt.code, got, tt.want)
		}
	}
}

// What answers on a subject that everybody may use is anything.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"name":"drover-n1","metadata":{"node":"n1"}}`), "oh", "404", "x")
	f.Add([]byte(`{"name":"drover-","metadata":{"node":""}}`), "", "-1", "")
	f.Fuzz(func(t *testing.T, service []byte, text, status, code string) {
		if name, ok := nodeOf(service); ok && !message.ValidName(name) {
			t.Errorf("node %q", name)
		}
		err := errorOf(nats.Header{
			message.HeaderError: {text}, message.HeaderErrorStatus: {status}, message.HeaderErrorCode: {code},
		})
		if e, ok := errors.AsType[*message.Error](err); ok && (e.Status < 400 || e.Status > 599 || e.Code == "") {
			t.Errorf("error %+v", e)
		}
	})
}
