package node

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
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

// values are what a channel's configuration says to its driver, each with the schema that is about it.
func (s schemas) values(ch *config.Channel) iter.Seq2[schema, *config.JSON] {
	return func(yield func(schema, *config.JSON) bool) {
		if !yield(s.settings, &ch.Settings) {
			return
		}
		for _, d := range ch.Devices {
			if !yield(s.device, &d.Settings) {
				return
			}
			for _, p := range d.Points {
				if !yield(s.address, &p.Address) {
					return
				}
			}
		}
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
	return schema{compiled, b, name, &left}, b.count(compiled)
}

// noLoader keeps a driver's schema from making the host read files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a driver's schema refers to nothing outside of itself, not to %s", url)
}

// check returns a problem for each part of the value that the schema does not allow, at its place in the file. The error
// is a failure of the driver's: its schema is one that cannot be evaluated.
func (s schema) check(value *config.JSON) (config.Problems, error) {
	if s.Schema == nil {
		return nil, nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value.Raw))
	if err != nil {
		return config.Problems{value.Problem("", err.Error())}, nil
	}
	err = s.validate(v, len(value.Raw))
	if err == nil {
		return nil, nil
	}
	if errors.Is(err, errEvaluations) {
		return nil, abiProblem(s.name, err)
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return config.Problems{value.Problem("", err.Error())}, nil
	}
	return violations(value, invalid), nil
}

// validate holds a value of so many bytes against the schema.
func (s schema) validate(v any, bytes int) error {
	return s.budget.during(s.left, bytes, func() error { return s.Validate(v) })
}
