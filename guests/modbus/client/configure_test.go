package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

func TestConfigureRefuses(t *testing.T) {
	tests := []struct {
		name string
		conf *config
		want []string
	}{
		{"unknown setting", onePoint(onTCP, `{"speed":1}`), []string{"settings: speed: unknown"}},
		{"no such connection", onePoint(onTCP, `{"connection":"x"}`), []string{`no connection "x"`}},
		{"rtu over a TCP connection", onePoint(onTCP, `{"mode":"rtu"}`), []string{"rtu needs a connection of kind serial"}},
		{"tcp over a port", onePoint(onSerial, `{"mode":"tcp"}`), []string{"tcp needs a connection of kind tcp"}},
		{"mode", onePoint(onTCP, `{"mode":"ascii"}`), []string{`"ascii", expected tcp, rtu or rtu-over-tcp`}},
		{"UDP", onePoint(driver.ConnectionKindUDP, ``), []string{"expected serial or tcp"}},
		{"many at once",
			onePoint(onTCP, `{"timeout":"0s","gap":-1,"max_registers":126,"max_bits":0,"retries":11,"base":2,"pause":"2m",`+
				`"connect_pause":"11s","silence":"2s","offline_after":0,"offline_retry":"2m","close_after_timeouts":-1}`),
			[]string{"timeout: 0s", "gap: -1", "max_registers: 126", "max_bits: 0", "retries: 11", "base: 2", "pause: 2m",
				"connect_pause: 11s", "silence: 2s", "offline_after: 0", "offline_retry_max: 1m0s, expected 2m",
				"close_after_timeouts: -1"}},
		{"broadcast", newConfig(onSerial, ``).device(0, "").points("holding:1 uint16", "holding:1.3 boolean w"),
			[]string{"p1: unit 0 is the broadcast address", "p2: a part of a register is read before it is written"}},
		{"writes", newConfig(onTCP, `{"register_writes":"twice"}`), []string{`"twice", expected auto, single or multiple`}},
		{"what cannot be written", newConfig(onTCP, ``).device(1, "").points("input:1 uint16 rw", "discrete:1 boolean w",
			"holding:0 uint16*124 rw", "coil:0 boolean*1969 w"),
			[]string{"p1: area input cannot be written", "p2: area discrete", "p3: it takes 124 and one request may write 123",
				"p4: it takes 1969 and one request may write 1968"}},
		{"unit", newConfig(onTCP, ``).device(256, ""), []string{"unit: 256, expected 0 to 255"}},
		{"device setting", newConfig(onTCP, ``).device(1, `,"order":"abcd"`), []string{"device unit1: order", "ABCD"}},
		{"points", newConfig(onTCP, `{"base":1}`).device(1, `,"max_registers":2`).points("holding:0 uint16",
			"holding:1 boolean", "coil:1 uint16", "holding:65536 uint32", "holding:1 uint64", "holding:1 text"),
			[]string{"point unit1.p1: ", "expected 1 to 65536", "point unit1.p2: ", "point unit1.p3: ",
				"p4: it takes 2 from offset 65535 and reaches beyond", "p5: it takes 4 and one request may carry 2",
				"p6: type string needs its length"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sdktest.New(t).Run(Driver{}, tt.conf.Config)
			failed, ok := errors.AsType[*sdktest.Error](err)
			if !ok || failed.Phase != "configure" {
				t.Fatalf("got %v, want configure to fail", err)
			}
			f := failed.Failure
			if f.Kind.Value != driver.FailureKindFatal || f.Cause.Own() != "configuration" {
				t.Errorf("kind %v, code %q", f.Kind.Value, f.Cause.Own())
			}
			for _, want := range tt.want {
				if !strings.Contains(f.Summary, want) {
					t.Errorf("summary %q lacks %q", f.Summary, want)
				}
			}
		})
	}
}

func TestConnectionByItsName(t *testing.T) {
	conf := onePoint(onTCP, ``)
	conf.Connections = append(conf.Connections, sdk.Connection{Name: "second", Kind: onTCP})
	for settings, want := range map[string]string{``: "main", `{"connection":"second"}`: "second"} {
		conf.Settings = settings
		s, err := newSetup(&conf.Config)
		if err != nil || s.connection.Name != want {
			t.Errorf("%s: %v, %v", settings, s, err)
		}
	}
	conf.Connections = []sdk.Connection{{Name: "line", Kind: onSerial}}
	conf.Settings = ``
	if s, err := newSetup(&conf.Config); err != nil || s.connection.Name != "line" || s.settings.Mode != modeRTU {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestHandleHasPointsAndActions(t *testing.T) {
	conf := newConfig(onSerial, ``).device(1, `,"raw":true`).points("holding:1 uint16 w", "holding:2 uint16 rw",
		"holding:3 uint16").device(2, "").device(0, "").points("holding:1 uint16 w")
	s, err := newSetup(&conf.Config)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := (&session{setup: s}).Init(nil)
	if err != nil || !slices.Equal(handle.Points, []sdk.PointID{1, 2, 3, 4}) {
		t.Errorf("%+v, %v", handle.Points, err)
	}
	var actions []string
	for _, a := range handle.Actions {
		schemaOf(t, a.Arguments)
		schemaOf(t, a.Result)
		actions = append(actions, fmt.Sprintf("%s of %d", a.Name, a.Device.Value))
	}
	if want := []string{"identify of 1", "raw of 1", "identify of 2"}; !slices.Equal(actions, want) {
		t.Errorf("actions %q, want %q", actions, want)
	}
}

// schemaOf compiles a schema and returns it also as a tree.
func schemaOf(t *testing.T, text string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", tree); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema, tree.(map[string]any)
}

// keys returns the members that a type is decoded from.
func keys(t reflect.Type) []string {
	var out []string
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("json"); name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func TestSchemasHaveTheSettings(t *testing.T) {
	m := Driver{}.Describe()
	for _, tt := range []struct {
		name, schema string
		decoded      any
		accept       func(text string) error
	}{
		{"channel", m.Settings, defaultSettings(), func(text string) error {
			_, err := sdk.Decode(text, defaultSettings())
			return err
		}},
		{"device", m.DeviceSettings, deviceSettings{}, func(text string) error {
			_, err := sdk.Decode(text, deviceSettings{})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema, tree := schemaOf(t, tt.schema)
			properties := tree["properties"].(map[string]any)
			if got, want := slices.Sorted(maps.Keys(properties)), keys(reflect.TypeOf(tt.decoded)); !slices.Equal(got, want) {
				t.Errorf("schema has %q, the decoder %q", got, want)
			}
			if tree["additionalProperties"] != false {
				t.Error("additional properties are allowed")
			}
			defaults := map[string]any{}
			for name, p := range properties {
				property := p.(map[string]any)
				if property["description"] == nil {
					t.Errorf("%s has no description", name)
				}
				if d, ok := property["default"]; ok {
					defaults[name] = d
				}
			}
			if err := schema.Validate(defaults); err != nil {
				t.Error(err)
			}
			text, err := json.Marshal(defaults)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.accept(string(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaDefaultsAreThoseOfTheDriver(t *testing.T) {
	_, tree := schemaOf(t, settingsSchema)
	defaults := map[string]any{}
	for name, p := range tree["properties"].(map[string]any) {
		if d, ok := p.(map[string]any)["default"]; ok {
			defaults[name] = d
		}
	}
	text, err := json.Marshal(defaults)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sdk.Decode(string(text), settings{})
	if want := defaultSettings(); err != nil || got != want {
		t.Errorf("schema: %+v, %v\ndriver: %+v", got, err, want)
	}
}

func TestAddressSchema(t *testing.T) {
	schema, _ := schemaOf(t, addressSchema)
	for text, want := range map[string]bool{
		`"holding:100"`: true, `"coil:0x1F"`: true, `"holding:100.3"`: true, `"input:1/16"`: true, `"40001"`: true,
		`"400001.5"`: true, `{"area":"holding","offset":1,"bit":3}`: true,
		`{"area":"holding","offset":1,"length":3,"order":"BADC"}`: true,
		`40001`: false, `"100"`: false, `"20001"`: false, `"holding"`: false, `"register:1"`: false,
		`{"area":"holding"}`: false, `{"area":"x","offset":1}`: false, `{"area":"coil","offset":1,"x":1}`: false,
		`null`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != want {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestMetadata(t *testing.T) {
	m := Driver{}.Describe()
	declared := map[string]bool{}
	for _, c := range m.Codes {
		if declared[c.Code] || c.Meaning == "" || strings.Trim(c.Code, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("code %+v", c)
		}
		declared[c.Code] = true
	}
	for e := range 256 {
		if reason := exceptionReason(pdu.Exception(e)); !declared[reason] {
			t.Errorf("exception %d: %q is not declared", e, reason)
		}
	}
}
