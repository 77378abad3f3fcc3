package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxUses bounds how many templates may lie below each other.
const maxUses = 8

// reservedVariable stands for the name of the channel or the device.
const reservedVariable = "name"

// variable is what ${name} stands for in a template, for one use of it.
type variable struct {
	value
	used bool
}

// use notes that something has asked for the variable, as a whole value or as a part of a text.
func (x *variable) use(whole bool) {
	x.used = true
	x.r.uses.note(x, whole)
}

// variables are a template's, for one use.
type variables map[string]*variable

// readTemplates keeps the templates of a file for those who use them.
func (v value) readTemplates() {
	v.named("template", nil, func(name string, child value) {
		if other, taken := v.r.templates[name]; taken {
			v.r.problem(child.key, v.path, "template %q is there already, in %s on line %d", clip(name), other.key.File,
				other.key.Line)
			return
		}
		v.r.templates[name] = child
	})
}

// used returns v over the template that its key `use` names, and the variables that it gives to it. name is what
// ${name} stands for in the template.
func (v value) used(name string) (value, variables) {
	own := v.direct()
	if !own.has("use") && own.has("vars") {
		own["vars"].problem("vars are for a template, expected use beside them")
	}
	given := own["vars"].variables()
	v.under = v.template(own["use"], maxUses, variables{reservedVariable: {value: v.nameOf(name)}}, given)
	if v.under == nil {
		return v, nil
	}
	return v, given
}

// template returns the template that the value named has the name of, nil for none: for one use of it, in the place of
// v. Its variables are its own defaults, then those of the scopes, the last first.
func (v value) template(named value, depth int, scopes ...variables) *value {
	var name string
	if named.node == nil || !named.text(&name, "the name of a template") {
		return nil
	}
	t, known := v.r.templates[name]
	switch {
	case !known:
		named.problem("there is no template %q, %s", clip(name), v.r.templateNames())
		return nil
	case depth == 0:
		named.problem("expected at most %d templates below each other, found more, or one that uses itself", maxUses)
		return nil
	}
	own := t.direct()
	scope := *t.r
	scope.again = true
	scope.vars = own["vars"].variables()
	for _, s := range scopes {
		maps.Copy(scope.vars, s)
	}
	used := value{r: &scope, node: t.node, path: v.path, key: v.key}
	used.under = used.template(own["use"], depth-1, scope.vars)
	return &used
}

// direct returns the keys that v itself has, whatever they are.
func (v value) direct() object {
	o := object{}
	if v.node.Kind != yaml.MappingNode {
		return o
	}
	own, _ := v.own()
	for _, m := range own {
		o[m.name] = m.value
	}
	return o
}

// variables reads the values of variables: scalars.
func (v value) variables() variables {
	vars := variables{}
	if v.node == nil {
		return vars
	}
	v.named("variable", []string{reservedVariable}, func(name string, child value) {
		if child.node.Kind != yaml.ScalarNode {
			child.expected("a text, a number, or true or false")
		}
		if name != reservedVariable {
			vars[name] = &variable{value: child}
		}
	})
	return vars
}

// nameOf is a name as a value that stands where v does.
func (v value) nameOf(name string) value {
	node := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: name, Line: int(v.key.Line), Column: int(v.key.Column)}
	return value{r: v.r, node: node, path: v.path, key: v.key}
}

// unused reports variables that nothing asked for.
func (vars variables) unused() {
	for name, x := range vars {
		if !x.used {
			x.r.problem(x.key, x.path, "the template does not use the variable %s", name)
		}
	}
}

var wholeVariable = regexp.MustCompile(`^\$\{([A-Za-z0-9_-]+)\}$`)

// resolved returns the variable's value where v is nothing but ${name}: a number stays a number.
func (v value) resolved() value {
	if v.r.vars == nil || v.node.Kind != yaml.ScalarNode {
		return v
	}
	if !strings.HasPrefix(v.node.Value, "${") {
		return v
	}
	match := wholeVariable.FindStringSubmatch(v.node.Value)
	if match == nil {
		return v
	}
	x, ok := v.r.vars[match[1]]
	if !ok {
		v.r.uses.note(nil, true)
		return v // whoever reads it says so
	}
	x.use(true)
	return value{r: x.r, node: x.node, path: v.path, key: v.key}
}

// text returns a variable as a part of a text.
func (x *variable) text() (text string, secret bool, err error) {
	x.use(false)
	if x.kind() != kindText {
		return x.node.Value, false, nil
	}
	text, secret, ok := x.expand()
	if !ok {
		return "", secret, fmt.Errorf("see the variable on line %d", x.key.Line)
	}
	return text, secret, nil
}

// names says which variables there are, in front of what else a reference may be.
func (vars variables) names() string {
	if len(vars) == 0 {
		return ""
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		names = append(names, "${"+name+"}")
	}
	return strings.Join(names, ", ") + ", "
}

func (r *reader) templateNames() string {
	if len(r.templates) == 0 {
		return "the configuration has no templates"
	}
	return "expected " + list(slices.Sorted(maps.Keys(r.templates)))
}
