package node

import (
	"slices"
	"testing"

	"github.com/droverhq/drover/runtime/config"
)

// settingsOf are a channel's own.
func settingsOf(ch *config.Channel) config.Part {
	for part := range ch.Parts() {
		return part
	}
	panic("a channel has settings")
}

// TestViolations: what was expected is said in words that people can act on, and what was found is not.
func TestViolations(t *testing.T) {
	tests := []struct {
		schema, value string
		want          []string
	}{
		{`{"minimum": 1.5}`, "1", []string{"the minimum is 1.5"}},
		{`{"maximum": 1000}`, "1001", []string{"the maximum is 1000"}},
		{`{"exclusiveMinimum": 0}`, "0", []string{"must be above 0"}},
		{`{"exclusiveMaximum": 125}`, "125", []string{"must be below 125"}},
		{`{"multipleOf": 0.5}`, "0.7", []string{"must be a multiple of 0.5"}},
		{`{"pattern": "^a"}`, "bcd", []string{"does not match the pattern ^a"}},
		{`{"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^a"}]}`, "bcd", []string{"does not match the pattern ^a"}},
		{`{"oneOf": [{"type": "integer"}, {"type": "object"}]}`, "bcd", []string{"got string, want integer", "got string, want object"}},
		{`{"oneOf": [{"$ref": "#/properties/value/$defs/n"}, {"type": "string", "minLength": 9}], "$defs": {"n": {"type": "integer"}}}`, "bcd",
			[]string{"minLength: got 3, want 9"}},
	}
	for _, test := range tests {
		t.Run(test.schema, func(t *testing.T) {
			compiled, err := compileSchema("settings", `{"properties": {"value": `+test.schema+`}}`, newBudget())
			if err != nil {
				t.Fatal(err)
			}
			c := parse(t, "    driver: meter.wasm\n    settings: {value: "+test.value+"}\n")
			v, err := compiled.judge(c.Channels[0].Settings.Raw)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, says := range v.says {
				p := settingsOf(c.Channels[0]).Problem(says.at, says.text)
				if p.Path != "channels.boiler.settings.value" || p.Line != 5 {
					t.Errorf("at %+v", p)
				}
				got = append(got, p.Message)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
