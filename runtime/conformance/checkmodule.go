package conformance

import (
	"context"
	"regexp"
	"strings"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/node"
)

// loads: what Config.Module tells by being there.
func (r *runner) loads(context.Context) (verdict, error) {
	m := r.Module
	return passed("%.1f MiB, checked, compiled and described in %v", float64(m.Size())/(1<<20), round(r.Loaded)), nil
}

// semantic is a semantic version 2.0 (https://semver.org, "Is there a suggested regular expression").
var semantic = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)` +
	`(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)

// metadata: what the driver says of itself is of use to those who read it.
func (r *runner) metadata(context.Context) (verdict, error) {
	about := r.Module.Metadata()
	var wrong []string
	if !semantic.MatchString(about.Version) {
		wrong = append(wrong, "the version "+about.Version+" is no semantic version: expected 1.2.3")
	}
	if strings.TrimSpace(about.Summary) == "" {
		wrong = append(wrong, "it has no summary")
	}
	seen := map[string]bool{}
	for _, c := range about.Codes {
		if seen[c.Code] {
			wrong = append(wrong, "it declares the code "+c.Code+" twice")
		}
		if seen[c.Code] = true; strings.TrimSpace(c.Meaning) == "" {
			wrong = append(wrong, "its code "+c.Code+" has no meaning: say what it means and what to do")
		}
	}
	if len(wrong) > 0 {
		return failed("%s", strings.Join(wrong, "; ")), nil
	}
	return passed("%s %s, %d failure codes of its own", about.Name, about.Version, len(about.Codes)), nil
}

// schemas: they are JSON Schemas that a node evaluates, their examples fit them, and they know what they do not know.
func (r *runner) schemas(context.Context) (verdict, error) {
	about := r.Module.Metadata()
	examples, err := node.ReadExamples(about)
	if err != nil {
		return failed("%s", strings.ReplaceAll(err.Error(), "\n", "; ")), nil
	}
	if open := node.OpenSchemas(about); len(open) > 0 {
		return failed("the schema of its %s takes members that it does not name, so mistyped ones pass: "+
			`set "additionalProperties"`, strings.Join(open, " and ")), nil
	}
	if r.Channel == nil {
		return r.exampleOf(examples), nil
	}
	problems, err := node.CheckSettings(about, r.Channel)
	if err != nil {
		return failed("%v", err), nil
	}
	r.example = node.SingleChannel(r.Channel, r.Module)
	if len(problems) > 0 {
		r.without = noConfiguration
		return failed("the configuration does not fit them: %s", strings.ReplaceAll(problems.Error(), "\n", "; ")), nil
	}
	return passed("the configuration and their own examples fit them"), nil
}

// exampleOf makes an example of the schemas' own.
func (r *runner) exampleOf(e node.Examples) verdict {
	if e.Settings == "" || e.Device == "" || e.Address == "" {
		r.without = noConfiguration
		return passed(`they are sound, but have no examples to configure it with: give a configuration, or "examples" in them`)
	}
	r.example = fromSchemas(r.Module, e, driver.ScalarTypeFloat64)
	return passed("their own examples fit them")
}
