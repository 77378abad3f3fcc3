package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// Check loads the drivers of a configuration and holds the settings against their schemas. All problems come together,
// those of a driver that cannot be loaded at the place where the file names it.
func Check(ctx context.Context, loader *module.Loader, c *config.Node) config.Problems {
	var problems config.Problems
	for _, ch := range c.Channels {
		m, err := loader.LoadFile(ctx, ch.Driver)
		if err != nil {
			problems = append(problems, driverProblem(c, ch, err))
			continue
		}
		problems = append(problems, checkSettings(m.Metadata(), c, ch)...)
		_ = m.Release(ctx) // it was only looked at
	}
	problems.Sort()
	return problems
}

func driverProblem(c *config.Node, ch *config.Channel, err error) config.Problem {
	return config.Problem{
		File: c.File, Line: ch.DriverPosition.Line, Column: ch.DriverPosition.Column,
		Path: "channels." + ch.Name + ".driver", Message: loadFailure(ch, err).Summary,
	}
}

// loadFailure is the failure of a driver that cannot be loaded: one that its channel cannot mend by trying again.
func loadFailure(ch *config.Channel, err error) *failure.Failure {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		g := *f
		g.Summary = fmt.Sprintf("driver %s: %s", ch.Driver, f.Summary)
		return &g
	}
	code := failure.IOOther
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = failure.IONotFound
	case errors.Is(err, fs.ErrPermission):
		code = failure.GrantDenied
	}
	f := failure.New(failure.PhaseDescribe, code, err.Error())
	f.Kind, f.Cause = failure.Fatal, err
	return f
}

// checkSettings holds what the file says to a channel's driver against the driver's schemas.
func checkSettings(m driver.Metadata, c *config.Node, ch *config.Channel) config.Problems {
	schemas, err := compileSchemas(m)
	if err != nil {
		return config.Problems{driverProblem(c, ch, err)}
	}
	problems := schemas.settings.check(&ch.Settings)
	for _, d := range ch.Devices {
		problems = append(problems, schemas.device.check(&d.Settings)...)
		for _, p := range d.Points {
			problems = append(problems, schemas.address.check(&p.Address)...)
		}
	}
	return problems
}

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

func compileSchema(name, text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	url := "drover:///" + name
	if err := compiler.AddResource(url, doc); err != nil {
		return nil, err
	}
	return compiler.Compile(url)
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
	return leaves(value, invalid)
}

// leaves returns the problems that say something by themselves: those without causes of their own.
func leaves(value *config.JSON, e *jsonschema.ValidationError) config.Problems {
	if len(e.Causes) == 0 {
		text := e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		return config.Problems{value.Problem(pointer(e.InstanceLocation), text)}
	}
	var out config.Problems
	for _, cause := range e.Causes {
		out = append(out, leaves(value, cause)...)
	}
	return out
}

func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
