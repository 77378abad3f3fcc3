package config

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// included is a file that the configuration includes: a reader of its own, and the top of its tree.
type included struct {
	templates, channels value
}

// include reads the files that patterns name (filepath.Match), sorted by name within each pattern. They have templates
// and channels.
func (v value) include() []included {
	var out []included
	patterns := []value{v}
	if v.node.Kind == yaml.SequenceNode {
		patterns = nil
		for i := range v.node.Content {
			patterns = append(patterns, v.element(i))
		}
	}
	for _, p := range patterns {
		for _, path := range p.matches() {
			if file, ok := p.includeFile(path); ok {
				out = append(out, file)
			}
		}
	}
	return out
}

// matches returns the files that a pattern names. One without wildcards names a file that must be there.
func (v value) matches() []string {
	var pattern string
	if !v.file(&pattern, "the path of a file, such as conf.d/*.yaml") {
		return nil
	}
	if !strings.ContainsAny(pattern, `*?[`) {
		return []string{pattern}
	}
	paths, err := v.r.glob(pattern)
	if err != nil {
		v.problem("%q is no pattern of paths: %v", clip(v.node.Value), err)
	}
	slices.Sort(paths)
	return paths
}

func (v value) includeFile(path string) (included, bool) {
	var file included
	if slices.Contains(v.r.files, path) {
		v.problem("%s is read already, expected each file once", path)
		return file, false
	}
	data, err := v.read(path)
	if err != nil {
		return file, false
	}
	r := &reader{shared: v.r.shared, file: path, dir: filepath.Dir(path)}
	root := r.document(data)
	if root == nil {
		return file, false
	}
	_, ok := value{r: r, node: root, key: r.top()}.object(keys{
		"templates": func(v value) { file.templates = v },
		"channels":  func(v value) { file.channels = v },
	}, nil)
	return file, ok
}

var errReported = errors.New("reported")

// read returns what a file of the configuration has, and remembers it as one of them.
func (v value) read(path string) ([]byte, error) {
	v.r.files = append(v.r.files, path)
	data, err := v.r.load(path)
	if err != nil {
		v.problem("cannot read %s: %v", path, err)
		return nil, errReported
	}
	return data, nil
}
