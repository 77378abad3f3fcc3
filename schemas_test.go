package drover_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// event is a message.Event with a detail of one type.
type event[T any] struct {
	message.Header
	Detail T `json:"detail"`
}

// schemaTypes has the type behind each schema of docs/schemas.
var schemaTypes = map[string]any{
	"data": message.Data{}, "state": message.State{}, "device": message.Device{}, "handle": message.Handle{},
	"log": message.Log{}, "heartbeat": message.Heartbeat{}, "event": message.Event{},

	"failure": event[message.Failure]{}, "backoff": event[message.Backoff]{}, "quarantine": event[message.Quarantine]{},
	"delivery": event[message.Delivery]{}, "denied": event[channel.Denied]{}, "write": event[message.WriteEvent]{},
	"action": event[message.ActionEvent]{}, "captured": event[message.Captured]{}, "swap": event[message.Swap]{},

	"apply": event[message.ConfigApplied]{}, "applied": message.Applied{}, "applying": message.Applying{},

	"ping": message.Ping{}, "snapshot": message.Snapshot{}, "last": message.Values{}, "ps": message.Processes{},
	"actions": message.Actions{}, "swapped": message.Swap{},
	"modules": message.Modules{}, "inspection": message.Inspection{}, "library": message.Library{}, "removed": message.RemovedModule{},
	"show": message.Show{}, "logs": message.Logs{}, "log-level": message.LogLevel{},
	"crashes": message.Crashes{}, "crash": message.Crash{}, "error": message.Error{},
	"reading": message.Reading{}, "readings": message.Readings{}, "written": message.WriteAnswer{},
	"driver": drover.DriverInfo{}, "driver-test": drover.DriverReport{},
	"writes": message.WritesAnswer{}, "invoked": message.ActionAnswer{}, "cancelled": message.CancelAnswer{},
}

const schemaSuffix = ".schema.json"

func schemaFile(name string) string { return filepath.Join("docs/schemas", name+schemaSuffix) }

// TestSchemasHaveEveryMember walks each schema and its type together: a member that one of them lacks, or that only one
// of them demands, is missed here whether or not some message has it.
func TestSchemasHaveEveryMember(t *testing.T) {
	files, err := os.ReadDir("docs/schemas")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), schemaSuffix)
		example, known := schemaTypes[name]
		if !known {
			t.Errorf("%s: there is no such message: give it its type in this test", f.Name())
			continue
		}
		text, err := os.ReadFile(schemaFile(name))
		if err != nil {
			t.Fatal(err)
		}
		var root place
		if err := json.Unmarshal(text, &root); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		w := walk{t: t, defs: root.Defs}
		w.compare(name, &root, reflect.TypeOf(example))
	}
	if len(files) != len(schemaTypes) {
		t.Errorf("%d schemas of %d messages", len(files), len(schemaTypes))
	}
}

// place is a place in a schema, as far as it is about members.
type place struct {
	Ref                  string            `json:"$ref"`
	Type                 json.RawMessage   `json:"type"`
	Properties           map[string]*place `json:"properties"`
	Required             []string          `json:"required"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	Items                *place            `json:"items"`
	Defs                 map[string]*place `json:"$defs"`
}

type walk struct {
	t    *testing.T
	defs map[string]*place
}

// compare compares a place of a schema with a type.
func (w walk) compare(path string, n *place, typ reflect.Type) {
	w.t.Helper()
	if name, is := strings.CutPrefix(n.Ref, "#/$defs/"); is {
		n = w.defs[name]
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case n == nil:
		w.t.Errorf("%s: a definition is missing", path)
	case typ == reflect.TypeFor[message.Time](), typ == reflect.TypeFor[json.RawMessage]():
	case typ.Kind() == reflect.Slice:
		w.compare(path+"[]", n.Items, typ.Elem())
	case typ.Kind() == reflect.Map:
		var values place
		if err := json.Unmarshal(n.AdditionalProperties, &values); err != nil {
			w.t.Errorf("%s: %s is no schema of the values", path, n.AdditionalProperties)
		}
		w.compare(path+".*", &values, typ.Elem())
	case typ.Kind() == reflect.Struct:
		w.members(path, n, typ)
	}
}

func (w walk) members(path string, n *place, typ reflect.Type) {
	w.t.Helper()
	if string(n.AdditionalProperties) != "false" {
		w.t.Errorf("%s: further members are allowed", path)
	}
	var names, required []string
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		names = append(names, name)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
		if child := n.Properties[name]; child != nil {
			w.compare(path+"."+name, child, f.Type)
		}
	}
	var properties []string
	for name := range n.Properties {
		properties = append(properties, name)
	}
	for _, pair := range [][2][]string{{names, properties}, {required, n.Required}} {
		slices.Sort(pair[0])
		slices.Sort(pair[1])
		if diff := cmp.Diff(pair[0], pair[1], cmpopts.EquateEmpty()); diff != "" {
			w.t.Errorf("%s: %v (-) and its schema (+):\n%s", path, typ, diff)
		}
	}
}

// schemas are compiled once, by name.
var schemas = sync.OnceValue(func() map[string]*jsonschema.Schema {
	all := map[string]*jsonschema.Schema{}
	for name := range schemaTypes {
		all[name] = jsonschema.NewCompiler().MustCompile(schemaFile(name))
	}
	return all
})

// conforms says what is wrong with a payload by the schema of that name.
func conforms(name string, payload []byte) error {
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(payload)))
	if err != nil {
		return err
	}
	return schemas()[name].Validate(instance)
}

// schemaOf is the schema of a published message: that of its event where it is one.
func schemaOf(subject string) (string, error) {
	s, err := message.ParseSubject(message.DefaultPrefix, subject)
	if err != nil {
		return "", err
	}
	if s.Kind == message.KindEvent {
		return s.Event, nil
	}
	return string(s.Kind), nil
}

// published holds a message that a node published against its schema.
func published(t *testing.T, subject string, payload []byte) string {
	t.Helper()
	name, err := schemaOf(subject)
	if err != nil {
		t.Errorf("%s: %v", subject, err)
		return ""
	}
	if schemas()[name] == nil {
		t.Errorf("%s has no schema: %s", subject, payload)
		return ""
	}
	if err := conforms(name, payload); err != nil {
		t.Errorf("%s: %v: %s", subject, err, payload)
	}
	return name
}

// TestMessagesPage holds the examples of the page for users against the schemas, and the page against their names.
func TestMessagesPage(t *testing.T) {
	page, err := os.ReadFile("docs/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(string(page)) {
		subject, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(subject, "drover.plant-1.") {
			kinds[published(t, subject, []byte(payload))]++
		}
	}
	for _, kind := range []string{"data", "state", "device", "handle", "failure", "backoff", "denied", "write", "action"} {
		if kinds[kind] == 0 {
			t.Errorf("no example of %s", kind)
		}
	}
	for name := range schemaTypes {
		if !strings.Contains(string(page), "`"+name+"`") && name != "heartbeat" && name != "log" && name != "event" {
			t.Errorf("schema %s is not named", name)
		}
	}
}

// TestSchemasRefuse holds that the schemas mean something: one more member anywhere, and a message does not conform.
func TestSchemasRefuse(t *testing.T) {
	const header = `"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1"`
	const failed = `{"phase":"run","kind":"fatal","code":"exit","summary":"","attempt":1,"generation":1,"time":"2026-11-23T08:20:01.123456789Z"`
	for name, payloads := range map[string][2]string{
		"data":    {`{` + header + `,"seq":1,"points":{"p":{"v":1}}`, `{` + header + `,"seq":1,"points":{"p":{"v":1,"unit":"bar"}}`},
		"state":   {`{` + header + `,"state":"failed","number":5,"attempt":1,"generation":0`, `{` + header + `,"state":"asleep","number":5,"attempt":1,"generation":0`},
		"device":  {`{` + header + `,"status":"online"`, `{` + header + `,"status":"online","gauges":{"Upper":1}`},
		"failure": {`{` + header + `,"detail":` + failed + `}`, `{` + header + `,"detail":` + failed + `,"stack":""}`},
		"event":   {`{` + header, `{"ts":"2026-11-23T08:20:01Z","epoch":"e1"`},
		"log":     {`{` + header + `,"level":"warn","message":""`, `{` + header + `,"clock":"fine","level":"warn","message":""`},
		"error":   {`{"status":404,"code":"x","message":""`, `{"status":200,"code":"x","message":""`},
	} {
		if err := conforms(name, []byte(payloads[0]+"}")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, payload := range []string{payloads[0] + `,"new":1}`, payloads[1] + "}"} {
			if conforms(name, []byte(payload)) == nil {
				t.Errorf("%s takes %s", name, payload)
			}
		}
	}
}
