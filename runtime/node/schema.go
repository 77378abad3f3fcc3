package node

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
)

// schemas are those of one driver.
type schemas struct{ settings, device, address schema }

// schema is nil for a driver that takes anything.
type schema struct{ *jsonschema.Schema }

func compileSchemas(m driver.Metadata) (s schemas, err error) {
	for _, part := range []struct {
		name string
		text string
		to   *schema
	}{{"settings", m.Settings, &s.settings}, {"device-settings", m.DeviceSettings, &s.device}, {"address", m.Address, &s.address}} {
		if part.text == "" {
			continue
		}
		if part.to.Schema, err = compileSchema(part.name, part.text); err != nil {
			return s, abiProblem(part.name, err)
		}
	}
	return s, nil
}

func abiProblem(name string, err error) error {
	return failure.New(failure.PhaseDescribe, failure.ABIEncoding, fmt.Sprintf("the schema of its %s is wrong: %v", name, err))
}

// maxSchemaDepth is how deep a schema may be nested. Compiling takes more than the square of that: 5000 levels, which are
// 50 KiB, took minutes.
const maxSchemaDepth = 64

func compileSchema(name, text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if deeper(doc, maxSchemaDepth) {
		return nil, fmt.Errorf("it is nested more than %d levels deep", maxSchemaDepth)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	url := "drover:///" + name
	if err := compiler.AddResource(url, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(url)
}

// deeper says whether a JSON value has more than so many levels.
func deeper(v any, levels int) bool {
	below := func(v any) bool { return levels == 0 || deeper(v, levels-1) }
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			if below(child) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, below)
	}
	return false
}

// noLoader keeps a driver's schema from making the host read files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a driver's schema refers to nothing outside of itself, not to %s", url)
}

// check returns a problem for each part of the value that the schema does not allow, at its place in the file.
func (s schema) check(value *config.JSON) config.Problems {
	if s.Schema == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value.Raw))
	if err != nil {
		return config.Problems{value.Problem("", err.Error())}
	}
	err = s.Validate(v)
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return config.Problems{value.Problem("", err.Error())}
	}
	return violations(value, invalid)
}
