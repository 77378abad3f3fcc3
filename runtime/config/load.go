package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// maxBytes is far above any configuration that a person or a program writes for one node.
	maxBytes = 16 << 20
	// maxDepth is far above what the format needs; it leaves a driver's settings about 50 levels.
	maxDepth = 64
	// maxValues bounds what templates make of a small file: 5,000 devices of 40 points have about a million.
	maxValues = 5_000_000
)

// Load reads the configuration in a file. The error is Problems when the file could be read.
func Load(path string) (*Node, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a configuration. Relative paths in it are relative to the folder of name, which need not exist. The error
// is Problems.
func Parse(name string, data []byte) (*Node, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("find the folder of %s: %w", name, err)
	}
	return newReader(name, dir).parse(data)
}

// shared is what the readers of one configuration have in common.
type shared struct {
	lookup   func(name string) (string, bool)
	readFile func(path string) (string, error)
	// load reads a file that the configuration names: an included one, a list of points.
	load func(path string) ([]byte, error)
	// glob finds the files that a pattern names.
	glob     func(pattern string) ([]string, error)
	problems Problems
	seen     map[string]bool // of the problems
	files    []string
	bytes    int // of all files
	values   int // that may still be read, each as often as it is used
	// templates and lists are what channels, devices and points use.
	templates map[string]value
	lists     map[string]*pointList
	// points and pointsOf are what was read where it may be read again.
	points   readings[*Point]
	pointsOf readings[[]*Point]
	uses     uses
	interned interned
}

// reader reads one file, or a template in it for one use, and collects what is wrong.
type reader struct {
	*shared
	file, dir string
	// vars are what ${name} stands for; nil outside of templates.
	vars variables
	// again says that what it reads may be read once more: in a template, or a list of points.
	again bool
}

func newReader(file, dir string) *reader {
	return &reader{file: file, dir: dir, shared: &shared{
		lookup: os.LookupEnv, readFile: readSecretFile, load: readConfigFile, glob: filepath.Glob, seen: map[string]bool{},
		values: maxValues, templates: map[string]value{}, lists: map[string]*pointList{},
		points: readings[*Point]{}, pointsOf: readings[[]*Point]{}, interned: newInterned(),
	}}
}

// readConfigFile returns what a file has. It takes regular files only, so that a pipe cannot hold the start up.
func readConfigFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("expected a regular file")
	case info.Size() > maxBytes:
		return nil, fmt.Errorf("expected at most %s", formatSize(maxBytes))
	}
	data, err := os.ReadFile(path)
	return data, withoutPath(err)
}

func (r *reader) parse(data []byte) (*Node, error) { return r.whole(r.read(data)) }

// read returns what the file has, as far as it can be read; nil when there is nothing.
func (r *reader) read(data []byte) *Node {
	r.files = append(r.files, r.file)
	if root := r.document(data); root != nil {
		return r.node(root)
	}
	return nil
}

// whole returns the node, or the problems where there are any.
func (r *reader) whole(node *Node) (*Node, error) {
	if len(r.problems) > 0 {
		r.problems.Sort()
		return nil, r.problems
	}
	return node, nil
}

// document returns the top of the YAML tree, nil when there is none.
func (r *reader) document(data []byte) *yaml.Node {
	if r.bytes += len(data); r.bytes > maxBytes {
		r.problem(r.top(), "", "the configuration has %d bytes with this file, expected at most %d", r.bytes, maxBytes)
		return nil
	}
	var documents []yaml.Node
	err := yaml.Load(data, &documents, yaml.WithAllDocuments(), yaml.WithUniqueKeys(false),
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasNone())))
	if err != nil {
		r.syntax(err)
		return nil
	}
	if len(documents) == 0 || len(documents[0].Content) == 0 {
		r.problem(r.top(), "", "the file is empty, expected at least node and channels")
		return nil
	}
	if len(documents) > 1 {
		r.problem(r.at(&documents[1]), "", "a second document begins here, expected one document a file")
	}
	root := documents[0].Content[0]
	r.plain(root)
	return root
}

func (r *reader) syntax(err error) {
	load, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		r.problem(r.top(), "", "this is no YAML: %v", err)
		return
	}
	at := r.place(load.Mark.Line, load.Mark.Column)
	message := load.Message
	if load.ContextMsg != "" {
		message = load.ContextMsg + ": " + message
	}
	r.problem(at, "", "this is no YAML: %s", message)
}

// plain refuses what makes a place in the file mean more than it says: anchors, aliases, merge keys, tags. Without them
// the tree is no larger than the file, and each value has one place.
func (r *reader) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.problem(r.at(n), "", "aliases (*%s) are not supported, expected the value itself", n.Value)
		return
	case n.Anchor != "":
		r.problem(r.at(n), "", "anchors (&%s) are not supported, expected the value itself", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.problem(r.at(n), "", "tags (%s) are not supported, expected the value alone", n.ShortTag())
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Tag == "!!merge" {
			r.problem(r.at(child), "", "merge keys (<<) are not supported, expected the keys themselves")
			continue
		}
		r.plain(child)
	}
}

// top is where a problem of the whole file is reported.
func (r *reader) top() Position { return r.place(1, 1) }

// place is a place in this file. Lines and columns fit: a file has at most maxBytes.
func (r *reader) place(line, column int) Position {
	return Position{File: r.file, Line: int32(max(1, line)), Column: int32(max(1, column))}
}

// at is where a value of this file stands.
func (r *reader) at(n *yaml.Node) Position {
	return r.place(n.Line, n.Column)
}

// problem reports what is wrong at a place: once, however often the place is used.
func (r *reader) problem(at Position, path, format string, args ...any) {
	p := at.problem(path, fmt.Sprintf(format, args...))
	place := Problem{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message}.String()
	if !r.seen[place] {
		r.seen[place] = true
		r.problems = append(r.problems, p)
	}
}
