package canon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// Signature is the core signature that WIT prescribes for an import or an export.
type Signature struct {
	// Module is the import's module name: the interface with its version. Empty for an export.
	Module string
	// Name is the import's or the export's name.
	Name    string
	Params  []api.ValueType
	Results []api.ValueType
	// Optional exports may be missing.
	Optional bool
}

// String is the signature as in "drover:driver/io@0.1.0 [method]stream.resumed: (i32) -> (i32)".
func (s Signature) String() string {
	return strings.TrimSpace(s.Module+" "+s.Name) + ": " + coreType(s.Params, s.Results)
}

// Difference is one import or export that is not as WIT prescribes. Either type is empty when there is no such function
// on that side.
type Difference struct {
	Module, Name string
	// Want and Got are core types such as "(i32, i64) -> (i32)".
	Want, Got string
}

// String says what differs.
func (d Difference) String() string {
	name := strings.TrimSpace(d.Module + " " + d.Name)
	switch {
	case d.Want == "":
		return name + ": no such function"
	case d.Got == "":
		return name + ": missing"
	}
	return fmt.Sprintf("%s: is %s, not %s", name, d.Got, d.Want)
}

// Differences is everything that is wrong with a module's imports or exports.
type Differences []Difference

// Error implements error: one difference a line.
func (ds Differences) Error() string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

// CheckImports compares the functions that a module imports with those that there are. The caller leaves out what others
// provide, such as WASI's.
func CheckImports(imports []api.FunctionDefinition, known []Signature) Differences {
	var ds Differences
	for _, def := range imports {
		module, name, _ := def.Import()
		got := coreType(def.ParamTypes(), def.ResultTypes())
		i := slices.IndexFunc(known, func(s Signature) bool { return s.Module == module && s.Name == name })
		if i < 0 {
			ds = append(ds, Difference{Module: module, Name: name, Got: got})
			continue
		}
		if want := coreType(known[i].Params, known[i].Results); got != want {
			ds = append(ds, Difference{Module: module, Name: name, Want: want, Got: got})
		}
	}
	return ds
}

// CheckExports compares the functions that a module exports with those that it must, or may, export. Others do no harm.
func CheckExports(exports map[string]api.FunctionDefinition, want []Signature) Differences {
	var ds Differences
	for _, s := range want {
		d := Difference{Name: s.Name, Want: coreType(s.Params, s.Results)}
		def, ok := exports[s.Name]
		if !ok {
			if !s.Optional {
				ds = append(ds, d)
			}
			continue
		}
		if d.Got = coreType(def.ParamTypes(), def.ResultTypes()); d.Got != d.Want {
			ds = append(ds, d)
		}
	}
	return ds
}

func coreType(params, results []api.ValueType) string {
	return "(" + coreTypes(params) + ") -> (" + coreTypes(results) + ")"
}

func coreTypes(ts []api.ValueType) string {
	var names []string
	for _, t := range ts {
		names = append(names, api.ValueTypeName(t))
	}
	return strings.Join(names, ", ")
}
