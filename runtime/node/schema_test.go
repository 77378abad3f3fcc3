package node

import (
	"strconv"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
)

// TestHostileSchemas: a driver's schema cannot hold the node up, or make it read files.
func TestHostileSchemas(t *testing.T) {
	for name, c := range map[string]struct{ schema, want string }{
		"deep":        {strings.Repeat(`{"not":`, 5000) + "{}" + strings.Repeat("}", 5000), "more than 64 levels"},
		"deeper":      {strings.Repeat("[", 100_000), "depth"},
		"repetitions": {`{"pattern": "(a{1000}){1000}"}`, "regex"},
		"patterns":    {`{"allOf": [` + list(400, `{"pattern": "(`+strings.Repeat("a", 30)+`%d){1000}"}`) + `]}`, "regex"},
		"numbers":     {`{"allOf": [` + list(10, `{"minimum": 1e99999%d}`) + `]}`, "exponent"},
		"digits":      {`{"maximum": ` + strings.Repeat("9", 100) + `}`, "64 digits"},
		"values":      {`{"prefixItems": [` + list(20_000, `{"const": %d}`) + `]}`, "more than 10000 values"},
		"moving":      {`{"$dynamicRef": "#x", "$defs": {"a": {"$dynamicAnchor": "x"}}}`, "$dynamicRef"},
		"a file":      {`{"$ref": "file:///etc/passwd"}`, "refers to nothing outside"},
	} {
		_, err := compileSchemas(driver.Metadata{Settings: c.schema})
		if err == nil || failure.From("", err).Code != failure.ABIEncoding || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.200v", name, err)
		}
	}
	for _, fine := range []string{
		`{"minimum": -1.5e-300, "maximum": 1E+308, "pattern": "^[a-z]{1,64}:[0-9]+$"}`,
		`{"enum": [` + list(5000, `"unit %d"`) + `]}`,
	} {
		if _, err := compileSchemas(driver.Metadata{Settings: fine}); err != nil {
			t.Errorf("%.50s: %v", fine, err)
		}
	}
	s, err := compileSchemas(driver.Metadata{Settings: strings.Repeat(`{"not":`, 60) + "{}" + strings.Repeat("}", 60)})
	if err != nil || s.settings.Schema == nil {
		t.Errorf("60 levels: %v", err)
	}
}

// list repeats a text n times, with the number of each in place of %d.
func list(n int, text string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.ReplaceAll(text, "%d", strconv.Itoa(i))
	}
	return strings.Join(all, ",")
}

// doubling is a schema of n definitions that have the next one twice: 2^n evaluations.
func doubling(n int, twice string) string {
	defs := make([]string, n)
	for i := range defs {
		defs[i] = strings.ReplaceAll(`"d`+strconv.Itoa(i)+`": `+twice, "NEXT", `{"$ref": "#/$defs/d`+strconv.Itoa(i+1)+`"}`)
	}
	return `{"allOf": [{"$ref": "#/$defs/d0"}], "$defs": {` + strings.Join(defs, ",") + `, "d` + strconv.Itoa(n) + `": {"type": "object"}}}`
}

// nested is a value of n levels.
func nested(n int) string { return strings.Repeat(`{"a":`, n) + "{}" + strings.Repeat("}", n) }

// TestSchemaBombs: small schemas that ask for more than anybody can evaluate are the driver's failure, soon. Nor are
// secrets looked for in every way that leads to them.
func TestSchemaBombs(t *testing.T) {
	const deep = `{"$defs": {"d": {"KEYWORD": {"a": {"allOf": [{"$ref": "#/$defs/d"}, {"$ref": "#/$defs/d"}]}}}}, "$ref": "#/$defs/d"}`
	for name, c := range map[string]struct{ schema, value string }{
		"allOf":          {doubling(60, `{"allOf": [NEXT, NEXT]}`), "{}"},
		"anyOf":          {doubling(60, `{"anyOf": [{"not": NEXT}, {"allOf": [NEXT, false]}]}`), "{}"},
		"oneOf":          {doubling(60, `{"oneOf": [NEXT, NEXT, NEXT]}`), "{}"},
		"if":             {doubling(60, `{"if": NEXT, "then": NEXT, "else": NEXT}`), "{}"},
		"not":            {doubling(60, `{"not": {"allOf": [NEXT, NEXT]}}`), "{}"},
		"names":          {doubling(60, `{"propertyNames": {"not": {"allOf": [NEXT, NEXT]}}, "allOf": [NEXT, NEXT]}`), `{"a": 1}`},
		"dependent":      {doubling(60, `{"dependentSchemas": {"a": NEXT, "b": NEXT}}`), `{"a": 1, "b": 1}`},
		"draft 7":        {`{"$schema": "http://json-schema.org/draft-07/schema#", ` + doubling(60, `{"allOf": [NEXT, NEXT]}`)[1:], "{}"},
		"itself, deeper": {strings.ReplaceAll(deep, "KEYWORD", "properties"), nested(60)},
		"patterns":       {strings.ReplaceAll(deep, "KEYWORD", "patternProperties"), nested(60)},
		"wide":           {`{"$defs": {"d": {"properties": {"a": {"allOf": [` + list(3000, `{"$ref": "#/$defs/d"}`) + `]}}}}, "$ref": "#/$defs/d"}`, nested(4)},
	} {
		m := driver.Metadata{Settings: c.schema}
		ch := &config.Channel{Settings: config.JSON{Raw: c.value}}
		_, err := checkSettings(m, ch)
		if err == nil || failure.From("", err).Code != failure.ABIEncoding ||
			!strings.Contains(err.Error(), "the schema of its settings is wrong: it takes too many evaluations") {
			t.Errorf("%s: got %v", name, err)
		}
		if found := secretsOf(m, ch); len(found) != 0 {
			t.Errorf("%s: found %q", name, found)
		}
	}
	recursive := `{"properties": {"a": {"$ref": "#"}}, "additionalProperties": false}`
	problems, err := checkSettings(driver.Metadata{Settings: recursive}, &config.Channel{Settings: config.JSON{Raw: nested(500)}})
	if err != nil || len(problems) > 0 {
		t.Errorf("a schema that refers to itself: %v, %v", problems, err)
	}
}

// TestManyValuesWithinTheBudget: what the points of a channel take does not add up to too much.
func TestManyValuesWithinTheBudget(t *testing.T) {
	points := make([]*config.Point, 2_000)
	for i := range points {
		points[i] = &config.Point{Address: config.JSON{Raw: strconv.Itoa(i)}}
	}
	empty := config.JSON{Raw: "{}"}
	ch := &config.Channel{Settings: empty, Devices: []*config.Device{{Settings: empty, Points: points}}}
	address := `{"anyOf": [` + list(200, `{"const": "register %d"}`) + `, {"type": "integer"}]}`
	problems, err := checkSettings(driver.Metadata{Settings: `{"type": "object"}`, Address: address}, ch)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems[:min(1, len(problems))], err)
	}
}

// TestBombOfArguments: an action whose schema cannot be evaluated takes everything.
func TestBombOfArguments(t *testing.T) {
	var s argumentSchemas
	if err := s.check(doubling(60, `{"allOf": [NEXT, NEXT]}`), "{}"); err != nil {
		t.Error(err)
	}
	if err := s.check(doubling(5, `{"allOf": [NEXT, NEXT]}`), "[]"); err == nil {
		t.Error("a list was taken for an object")
	}
}
