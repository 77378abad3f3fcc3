package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// readings are what was read in templates and lists of points, for those who use them again under variables that stand
// for the same. What they get is one and the same: it is never changed. A nil map keeps nothing.
type readings[T any] map[readingPlace][]reading[T]

// readingPlace is what is read, below which key, and the period that points inherit there. The key is the zero Position
// where it does not matter.
type readingPlace struct {
	node  *yaml.Node
	key   Position
	every time.Duration
}

// reading is what was read at a place.
type reading[T any] struct {
	// layers are the value and those under it.
	layers []*yaml.Node
	used   []use
	// values is how many of the configuration's it took.
	values int
	result T
}

// use is a variable that reading has asked for, by its name in one of the layers.
type use struct {
	layer int
	name  string
	asked
}

// asked is a variable that was asked for. One that is a whole value has the place of that, and not the template's.
type asked struct {
	*variable
	whole bool
}

// mostReadings is how many readings of one place are kept: where each use has variables of its own, none is found again.
const mostReadings = 16

// once returns what read returns for v, which it may have returned before. Problems are of whoever reads: once there are
// any, nothing is kept and everything is read, so that each is found. read depends on nothing but v, key and every.
func (known readings[T]) once(v value, key Position, every time.Duration, read func() T) T {
	if known == nil || !v.r.again || len(v.r.problems) > 0 {
		return read()
	}
	layers := v.layers()
	at := readingPlace{v.node, key, every}
	for _, one := range known[at] {
		if v.r.values >= one.values && one.holds(layers) {
			v.r.values -= one.values
			for _, u := range one.used {
				layers[u.layer].r.vars[u.name].use(u.whole)
			}
			return one.result
		}
	}
	before, mark := v.r.values, v.r.uses.begin()
	result := read()
	used, ok := v.r.uses.end(mark, layers)
	if ok && len(v.r.problems) == 0 && len(known[at]) < mostReadings {
		one := reading[T]{used: used, values: before - v.r.values, result: result}
		for _, l := range layers {
			one.layers = append(one.layers, l.node)
		}
		known[at] = append(known[at], one)
	}
	return result
}

// layers are v and the values under it, which lie in the same place.
func (v value) layers() []value {
	all := []value{v}
	for under := v.under; under != nil; under = under.under {
		all = append(all, *under)
	}
	return all
}

// holds says whether reading the layers gives the same: their nodes are, and what the variables stand for is.
func (one *reading[T]) holds(layers []value) bool {
	if !slices.EqualFunc(one.layers, layers, func(node *yaml.Node, l value) bool { return node == l.node }) {
		return false
	}
	for _, u := range one.used {
		if x := layers[u.layer].r.vars[u.name]; x == nil || !u.same(x) {
			return false
		}
	}
	return true
}

// same says whether another variable stands for the same: what has references in it is of the same scope, and a whole value
// of the same place.
func (a asked) same(x *variable) bool {
	switch {
	case a.node == x.node && a.r == x.r:
		return true
	case strings.Contains(x.node.Value, "${"):
		return false
	case a.whole:
		return a.node == x.node
	default:
		return a.node.Value == x.node.Value && a.kind() == x.kind()
	}
}

// uses are the variables that were asked for while something is read that may be read again; nil for one that is not
// there.
type uses struct {
	depth int
	all   []asked
}

func (u *uses) note(x *variable, whole bool) {
	if u.depth > 0 {
		u.all = append(u.all, asked{x, whole})
	}
}

// begin begins a reading; end has what begin returned.
func (u *uses) begin() int {
	u.depth++
	return len(u.all)
}

// end returns the variables that were asked for since begin, as the layers name them. It is false where one is none of
// theirs.
func (u *uses) end(mark int, layers []value) ([]use, bool) {
	var used []use
	ok := true
	since := slices.Clone(u.all[mark:])
	if u.depth--; u.depth == 0 {
		u.all = u.all[:0]
	}
	for i, a := range since {
		if slices.Contains(since[:i], a) {
			continue
		}
		named := false
		for l, layer := range layers {
			for name, x := range layer.r.vars {
				if x == a.variable {
					used, named = append(used, use{l, name, a}), true
				}
			}
		}
		ok = ok && named
	}
	return used, ok
}
