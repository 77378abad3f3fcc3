package natsbridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// FuzzRoute: subjects are refused or taken apart into names.
func FuzzRoute(f *testing.F) {
	for _, s := range []string{"c.read.d.p", "c.write.d", "c.invoke._.a", "c.cancel.id", "c.read..", "ctl.read.d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		r, err := routeOf(rest)
		if err != nil {
			if !errors.Is(err, message.ErrNotFound) {
				t.Errorf("%q: %v", rest, err)
			}
			return
		}
		if joined := strings.TrimSuffix(strings.Join([]string{r.channel, r.verb, r.device, r.name}, "."), "."); joined != rest {
			t.Errorf("%q became %+v", rest, r)
		}
	})
}

// FuzzMembers: an object is taken apart in order, and is the same again.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[2,{"c":3}]}`, `{"a":1,"a":2}`, `[]`, `{}`, ` {"a" : null } `, `{"a":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		members, err := membersOf(body)
		if err != nil {
			return
		}
		out := []byte("{")
		for i, m := range members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(append(append(out, '"'), m.name...), '"', ':'), m.value...)
		}
		out = append(out, '}')
		var want, got map[string]any
		if json.Unmarshal(body, &want) != nil || json.Unmarshal(out, &got) != nil || len(got) != len(members) || len(want) != len(got) {
			t.Errorf("%s became %s", body, out)
		}
	})
}

// FuzzHeader: headers are refused, or give a deadline that is not over and one line of who calls.
func FuzzHeader(f *testing.F) {
	f.Add("1500ms", "2030-01-01T00:00:00Z", "k", "7", "alice", `{"acc":"A","user":"u"}`)
	f.Add("-1s", "x", "a b", "-1", "a\nb", "{")
	f.Add("9999h", "0001-01-01T00:00:00Z", "", "", "\xff", "null")
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, timeout, notAfter, key, generation, caller, info string) {
		h, err := readHeader(micro.Headers{
			message.HeaderTimeout: {timeout}, message.HeaderNotAfter: {notAfter}, message.HeaderKey: {key},
			message.HeaderGeneration: {generation}, message.HeaderCaller: {caller}, headerRequestInfo: {info},
		}, now)
		if name := h.caller.Name; strings.ContainsAny(name, "\r\n") || len(name) > longestName {
			t.Errorf("caller %q", name)
		}
		switch {
		case err != nil && !errors.Is(err, message.ErrBody) && !errors.Is(err, message.ErrNeverSent):
			t.Errorf("%v", err)
		case err == nil && (!h.deadline.After(now) || h.deadline.After(now.Add(longestCall))):
			t.Errorf("deadline %v", h.deadline)
		case err == nil && h.key != "" && !message.ValidName(h.key):
			t.Errorf("key %q", h.key)
		}
	})
}

func TestMembersKeepTheirOrder(t *testing.T) {
	members, err := membersOf([]byte(`{"z":1,"a":2,"m":[3]}`))
	if err != nil || len(members) != 3 || members[0].name != "z" || members[1].name != "a" || !bytes.Equal(members[2].value, []byte("[3]")) {
		t.Errorf("got %+v, %v", members, err)
	}
}
