package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
)

// SingleChannel returns what a configured channel runs, for those who run one outside of a node. Host, Sink and Logger are
// missing. m is the driver to run, whichever the file names.
func SingleChannel(c *config.Channel, m *module.Module) channel.Config {
	out := channel.Config{Name: c.Name, Policy: policy(c.Retry), Deadlines: deadlines(c.Deadlines), Quarantine: quarantine(c.Quarantine)}
	out.Module, out.Connections, out.Devices = m, connections(c.Connections), devices(c, 0)
	out.Settings, out.Secrets, out.Limits = c.Settings.Raw, secretsOf(m.Metadata(), c), limits(c.Limits)
	return out
}

// SingleLimits returns the limits that a configured channel's driver is loaded within.
func SingleLimits(c *config.Channel) module.Limits { return limits(c.Limits).Limits }

// CheckSettings holds what the file says to a channel's driver against the driver's schemas. The error is about those.
func CheckSettings(m driver.Metadata, c *config.Channel) (config.Problems, error) {
	return checkSettings(m, c)
}

// Examples are values of a driver's schemas, JSON text that fits them: the first example of each, or its default, or the
// empty object; empty where none of them fits.
type Examples struct{ Settings, Device, Address string }

// ReadExamples compiles a driver's schemas and returns values that fit them. The error has every example and default in
// the schemas, at whatever depth, that does not fit its own part.
func ReadExamples(m driver.Metadata) (Examples, error) {
	schemas, err := compileSchemas(m)
	if err != nil {
		return Examples{}, err
	}
	var out Examples
	var errs []error
	for s, to := range map[schema]*string{schemas.settings: &out.Settings, schemas.device: &out.Device, schemas.address: &out.Address} {
		errs = append(errs, s.checkExamples())
		*to = s.example()
	}
	slices.SortFunc(errs, func(a, b error) int { return bytes.Compare([]byte(fmt.Sprint(a)), []byte(fmt.Sprint(b))) })
	return out, errors.Join(errs...)
}

// OpenSchemas names the schemas of a driver that take any members because they do not say which: an object with properties
// and without a word about others.
func OpenSchemas(m driver.Metadata) []string {
	schemas, err := compileSchemas(m)
	if err != nil {
		return nil
	}
	var open []string
	for _, s := range []schema{schemas.settings, schemas.device, schemas.address} {
		if s.Schema == nil || len(s.Properties) == 0 || s.AdditionalProperties != nil || s.UnevaluatedProperties != nil {
			continue
		}
		open = append(open, s.name)
	}
	return open
}

// example is a value of the schema that fits it, as JSON text.
func (s schema) example() string {
	candidates := []any{map[string]any{}}
	if s.Schema != nil {
		candidates = append(ownExamples(s.Schema), candidates...)
	}
	for _, v := range candidates {
		text, err := json.Marshal(v)
		if err == nil && s.Schema != nil {
			_, err = s.validate(v, len(text))
		}
		if err == nil {
			return string(text)
		}
	}
	return ""
}

// ownExamples are the values that a schema has of itself.
func ownExamples(s *jsonschema.Schema) []any {
	all := slices.Clone(s.Examples)
	if s.Default != nil {
		all = append(all, *s.Default)
	}
	return all
}

// checkExamples holds each example and default against its part of the schema.
func (s schema) checkExamples() error {
	if s.Schema == nil {
		return nil
	}
	wrong := map[string]error{}
	for _, part := range within(s.Schema) {
		for _, v := range ownExamples(part) {
			text, err := json.Marshal(v)
			if err == nil {
				_, err = schema{part, s.budget, s.name, s.left, false}.validate(v, len(text))
			}
			if err != nil {
				wrong[fmt.Sprintf("the schema of its %s has the example %.80s at %s", s.name, text, part.Location)] = err
			}
		}
	}
	var errs []error
	for _, at := range slices.Sorted(maps.Keys(wrong)) {
		errs = append(errs, fmt.Errorf("%s, which does not fit it", at))
	}
	return errors.Join(errs...)
}
