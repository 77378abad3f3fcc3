package node

import (
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

// schema is one that was compiled. The zero value is that of a driver that takes anything.
type schema struct {
	*jsonschema.Schema
	budget *budget
	name   string
	left   *int // evaluations, of the channel whose values are held against it
	// secretive says that it calls something writeOnly.
	secretive bool
}

func compileSchemas(m driver.Metadata) (schemas, error) {
	var s schemas
	var err error
	b := newBudget()
	for _, part := range []struct {
		name string
		text string
		to   *schema
	}{{"settings", m.Settings, &s.settings}, {"device-settings", m.DeviceSettings, &s.device}, {"address", m.Address, &s.address}} {
		if part.text == "" {
			continue
		}
		if *part.to, err = compileSchema(part.name, part.text, b); err != nil {
			return s, abiProblem(part.name, err)
		}
	}
	return s.fresh(), nil
}

// fresh returns the schemas with all evaluations left, for another channel.
func (s schemas) fresh() schemas {
	left := firstEvaluations
	s.settings.left, s.device.left, s.address.left = &left, &left, &left
	return s
}

// of is the one that is about a part of a channel's configuration.
func (s *schemas) of(part config.Part) schema {
	switch {
	case part.Point != nil:
		return s.address
	case part.Device != nil:
		return s.device
	default:
		return s.settings
	}
}

func abiProblem(name string, err error) error {
	return failure.New(failure.PhaseDescribe, failure.ABIEncoding, fmt.Sprintf("the schema of its %s is wrong: %v", name, err))
}

// compileSchema compiles a schema whose evaluations spend the budget.
func compileSchema(name, text string, b *budget) (schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return schema{}, err
	}
	if err := checkSize(doc); err != nil {
		return schema{}, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(patterns())
	url := "drover:///" + name
	if err := compiler.AddResource(url, doc); err != nil {
		return schema{}, err
	}
	compiled, err := compiler.Compile(url)
	if err != nil {
		return schema{}, err
	}
	left := firstEvaluations
	secretive := slices.ContainsFunc(within(compiled), func(part *jsonschema.Schema) bool { return part.WriteOnly })
	return schema{compiled, b, name, &left, secretive}, b.count(compiled)
}

// noLoader keeps a driver's schema from making the host read files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a driver's schema refers to nothing outside of itself, not to %s", url)
}

// verdict is what a schema says to a value, and how many evaluations that took.
type verdict struct {
	cost int
	says []violation
}

// judge holds a value against the schema. The error is a failure of the driver's: its schema is one that cannot be
// evaluated.
func (s schema) judge(value string) (verdict, error) {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		return verdict{says: []violation{{text: err.Error()}}}, nil
	}
	cost, err := s.validate(v, len(value))
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	switch {
	case err == nil:
		return verdict{cost: cost}, nil
	case errors.Is(err, errEvaluations):
		return verdict{}, abiProblem(s.name, err)
	case !ok:
		return verdict{cost, []violation{{text: err.Error()}}}, nil
	}
	return verdict{cost, violations(invalid)}, nil
}

// validate holds a value of so many bytes against the schema, and returns how many evaluations that took.
func (s schema) validate(v any, bytes int) (cost int, err error) {
	return s.budget.during(s.left, bytes, func() error { return s.Validate(v) })
}

// within returns a schema and all that it refers to, each once.
func within(root *jsonschema.Schema) []*jsonschema.Schema {
	seen := map[*jsonschema.Schema]struct{}{root: {}}
	all := []*jsonschema.Schema{root}
	for i := 0; i < len(all); i++ {
		for _, part := range parts(all[i]) {
			if _, again := seen[part]; !again {
				seen[part] = struct{}{}
				all = append(all, part)
			}
		}
	}
	return all
}
