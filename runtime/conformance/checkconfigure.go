package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/point"
)

// noConfiguration is why checks are skipped after one has said why there is none that the driver takes.
const noConfiguration = "no configuration that the driver takes"

// configure: the driver takes the example.
func (r *runner) configure(ctx context.Context) (verdict, error) {
	if r.without != "" {
		return skipped("%s", r.without), nil
	}
	if r.Channel != nil {
		o, err := r.attempt(ctx, r.example, nil, 0)
		if err != nil || !o.refused() {
			return passed("it takes the configuration"), err
		}
		r.without = noConfiguration
		return failed("it refuses the configuration: %s", o.why()), nil
	}
	var last outcome
	for _, scalar := range scalars {
		c := r.example
		c.Devices = cloneDevices(c.Devices)
		c.Devices[0].Points[0].Scalar = scalar
		o, err := r.attempt(ctx, c, nil, 0)
		if err != nil {
			return verdict{}, err
		}
		if last = o; !o.refused() {
			r.example = c
			return passed("it takes the examples of its schemas, with a point of type %v", scalar), nil
		}
		if v, wrong := o.wrong(); wrong {
			r.without = noConfiguration
			return v, nil
		}
	}
	r.without = noConfiguration
	return skipped("it takes the examples of its schemas with a point of no type (%s): give a configuration", last.why()), nil
}

// refused says whether the attempt failed before it came to connect.
func (o outcome) refused() bool { return o.failure != nil && o.failure.Phase == failure.PhaseConfigure }

// wrongSettings: what the host's schemas would have kept from the driver is refused, or taken, but breaks nothing.
func (r *runner) wrongSettings(ctx context.Context) (verdict, error) {
	if r.without != "" {
		return skipped("%s", r.without), nil
	}
	wrong := wrongConfigurations(r.example, r.Module.Metadata().Settings)
	refused := 0
	for _, w := range wrong {
		o, err := r.attempt(ctx, w.config, nil, 0)
		if err != nil {
			return verdict{}, err
		}
		if o.crash != nil {
			return failed("%s: it crashes: %s", w.what, o.why()), nil
		}
		if !o.refused() {
			continue
		}
		if refused++; strings.TrimSpace(o.failure.Summary) == "" {
			return failed("%s: it refuses without a word", w.what), nil
		}
	}
	return passed("%d wrong configurations, %d refused by configure, no crash", len(wrong), refused), nil
}

// mistake is a configuration that is wrong, and what is.
type mistake struct {
	what   string
	config channel.Config
}

// replacements are what a JSON value is replaced with.
var replacements = []string{`null`, `-1`, `1e300`, `""`, `"\u0000 text"`, `[]`, `[[]]`, `{}`, `true`}

// wrongConfigurations makes mistakes in the settings, in those of the first device and in the address of its first point.
func wrongConfigurations(c channel.Config, schema string) []mistake {
	var out []mistake
	add := func(what string, change func(*channel.Config)) {
		m := mistake{what, c}
		m.config.Devices = cloneDevices(c.Devices)
		change(&m.config)
		out = append(out, m)
	}
	for _, text := range variants(c.Settings, properties(schema)) {
		add("settings "+text, func(c *channel.Config) { c.Settings = text })
	}
	add("no devices", func(c *channel.Config) { c.Devices = nil })
	if len(c.Devices) == 0 {
		return out
	}
	for _, text := range variants(c.Devices[0].Settings, nil) {
		add("settings of a device "+text, func(c *channel.Config) { c.Devices[0].Settings = text })
	}
	add("no points", func(c *channel.Config) { c.Devices[0].Points = nil })
	if len(c.Devices[0].Points) == 0 {
		return out
	}
	for _, text := range variants(c.Devices[0].Points[0].Address, nil) {
		add("address "+text, func(c *channel.Config) { c.Devices[0].Points[0].Address = text })
	}
	for _, scalar := range scalars {
		add(fmt.Sprintf("a point of type %v", scalar), func(c *channel.Config) {
			p := &c.Devices[0].Points[0]
			p.Definition = point.Definition{Name: p.Name, Scalar: scalar, Access: p.Access} // scale and filter fit one type
		})
	}
	add("a point that is a list", func(c *channel.Config) {
		p := &c.Devices[0].Points[0]
		p.Definition = point.Definition{Name: p.Name, Scalar: p.Scalar, Access: p.Access, Count: 3}
	})
	return out
}

// variants are JSON texts that differ from text: as a whole, and each of its members, and of others that it may have.
func variants(text string, members []string) []string {
	out := slices.Clone(replacements)
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		return out
	}
	for name := range object {
		members = append(members, name)
	}
	slices.Sort(members)
	for _, name := range slices.Compact(members) {
		for _, value := range replacements {
			changed := maps.Clone(object)
			if changed == nil {
				changed = map[string]json.RawMessage{}
			}
			changed[name] = json.RawMessage(value)
			if text, err := json.Marshal(changed); err == nil {
				out = append(out, string(text))
			}
		}
	}
	return out
}

// properties are the members that a schema names.
func properties(schema string) []string {
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	_ = json.Unmarshal([]byte(schema), &s) // a schema that is none was told of before
	return slices.Sorted(maps.Keys(s.Properties))
}

// noConnection: a channel without connections is refused, by configure or by connect, but breaks nothing.
func (r *runner) noConnection(ctx context.Context) (verdict, error) {
	if r.without != "" {
		return skipped("%s", r.without), nil
	}
	c := r.example
	c.Connections = nil
	o, err := r.attempt(ctx, c, nil, 0)
	if err != nil {
		return verdict{}, err
	}
	if v, wrong := o.wrong(); wrong {
		return v, nil
	}
	if o.failure == nil {
		return passed("it needs none"), nil
	}
	return passed("%s", o.why()), nil
}
