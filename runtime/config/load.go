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
	r := &reader{file: name, dir: dir, lookup: os.LookupEnv, readFile: readSecretFile}
	return r.parse(data)
}

// reader goes through one file and collects what is wrong with it.
type reader struct {
	file, dir string
	lookup    func(name string) (string, bool)
	readFile  func(path string) (string, error)
	problems  Problems
}

func (r *reader) parse(data []byte) (*Node, error) {
	var node *Node
	if root := r.document(data); root != nil {
		node = r.node(root)
	}
	if len(r.problems) > 0 {
		r.problems.Sort()
		return nil, r.problems
	}
	return node, nil
}

// document returns the top of the YAML tree, nil when there is none.
func (r *reader) document(data []byte) *yaml.Node {
	if len(data) > maxBytes {
		r.problem(top, "", "the file has %d bytes, expected at most %d", len(data), maxBytes)
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
		r.problem(top, "", "the file is empty, expected at least node and channels")
		return nil
	}
	if len(documents) > 1 {
		r.problem(positionOf(&documents[1]), "", "a second document begins here, expected one document a file")
	}
	root := documents[0].Content[0]
	r.plain(root)
	return root
}

func (r *reader) syntax(err error) {
	load, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		r.problem(top, "", "this is no YAML: %v", err)
		return
	}
	at := Position{Line: max(1, load.Mark.Line), Column: max(1, load.Mark.Column)}
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
		r.problem(positionOf(n), "", "aliases (*%s) are not supported, expected the value itself", n.Value)
		return
	case n.Anchor != "":
		r.problem(positionOf(n), "", "anchors (&%s) are not supported, expected the value itself", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.problem(positionOf(n), "", "tags (%s) are not supported, expected the value alone", n.ShortTag())
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Tag == "!!merge" {
			r.problem(positionOf(child), "", "merge keys (<<) are not supported, expected the keys themselves")
			continue
		}
		r.plain(child)
	}
}

// top is where a problem of the whole file is reported.
var top = Position{Line: 1, Column: 1}

func positionOf(n *yaml.Node) Position {
	return Position{Line: max(1, n.Line), Column: max(1, n.Column)}
}

func (r *reader) problem(at Position, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.Line, Column: at.Column, Path: path, Message: fmt.Sprintf(format, args...),
	})
}
