package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// pointList is a list of points in a CSV file, as the mapping that it stands for; nil when it cannot be read.
type pointList struct {
	r    *reader
	node *yaml.Node
}

// textColumns are always text, however they look.
var textColumns = map[string]bool{"name": true, "unit": true}

// listed returns the points of the CSV file that stands in v's place, there and in its templates. Each file is read
// once, however often it is used.
func (v value) listed() value {
	if v.under != nil {
		under := v.under.listed()
		v.under = &under
	}
	if v.kind() != kindText {
		return v
	}
	var path string
	if !v.file(&path, "a mapping of point names, or the path of a CSV file") {
		return value{r: v.r, node: &yaml.Node{Kind: yaml.MappingNode}, path: v.path, key: v.key}
	}
	l, known := v.r.lists[path]
	if !known {
		l = v.readList(path)
		v.r.lists[path] = l
	}
	scope := *l.r
	scope.vars, scope.again = v.r.vars, true
	return value{r: &scope, node: l.node, path: v.path, key: v.key, under: v.under}
}

// readList reads a CSV file (RFC 4180): a line of column names, `name` and the keys of a point, then a line for each
// point. Commas, semicolons or tabs separate; lines that begin with # are comments; an empty cell is a key that is not
// there. A cell that begins with [ or { is YAML.
func (v value) readList(path string) *pointList {
	l := &pointList{r: &reader{shared: v.r.shared, file: path, dir: v.r.dir}, node: &yaml.Node{Kind: yaml.MappingNode}}
	data, err := v.read(path)
	if err != nil {
		return l
	}
	if l.r.bytes += len(data); l.r.bytes > maxBytes {
		v.problem("the configuration has %d bytes with this file, expected at most %d", l.r.bytes, maxBytes)
		return l
	}
	if !utf8.Valid(data) {
		l.r.problem(l.r.top(), v.path, "expected UTF-8 text")
		return l
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	rows := csv.NewReader(bytes.NewReader(data))
	rows.Comma, rows.Comment, rows.TrimLeadingSpace = separator(data), '#', true
	header, err := rows.Read()
	if err != nil {
		l.broken(v.path, err)
		return l
	}
	columns := l.columns(v.path, rows, header)
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			l.broken(v.path, err)
			return l
		}
		l.row(v.path, rows, columns, cells)
	}
}

// separator is what separates the columns of the first line.
func separator(data []byte) rune {
	line, _, _ := strings.Cut(string(data[:min(len(data), 4096)]), "\n")
	switch {
	case strings.Contains(line, ","):
		return ','
	case strings.Contains(line, ";"):
		return ';'
	case strings.Contains(line, "\t"):
		return '\t'
	default:
		return ','
	}
}

// broken reports what makes the file no CSV.
func (l *pointList) broken(path string, err error) {
	at, message := l.r.top(), err.Error()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		at, message = l.r.place(e.Line, e.Column), e.Err.Error()
	}
	if errors.Is(err, io.EOF) {
		message = "the file is empty, expected a line of column names"
	}
	l.r.problem(at, path, "%s", message)
}

// columns reports columns that a point does not have and returns the names, "" for those.
func (l *pointList) columns(path string, rows *csv.Reader, header []string) []string {
	known := pointKeys(&Point{})
	known["name"] = nil
	names := make([]string, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		_, ok := known[name]
		switch {
		case !ok:
			l.r.problem(l.place(rows, i), path, "unknown column %q, %s", clip(name), suggest(name, known))
		case seen[name]:
			l.r.problem(l.place(rows, i), path, "duplicate column %q", clip(name))
		default:
			names[i], seen[name] = name, true
		}
	}
	if !seen["name"] {
		l.r.problem(l.r.top(), path, "there is no column name, expected one with the points' names")
	}
	return names
}

func (l *pointList) place(rows *csv.Reader, i int) Position {
	line, column := rows.FieldPos(i)
	return l.r.place(line, column)
}

// row appends a point: its name as the key, and a mapping of what its cells have.
func (l *pointList) row(path string, rows *csv.Reader, columns, cells []string) {
	first := l.place(rows, 0)
	point := &yaml.Node{Kind: yaml.MappingNode, Line: int(first.Line), Column: int(first.Column)}
	var name *yaml.Node
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" || columns[i] == "" {
			continue
		}
		at := l.place(rows, i)
		content := l.cell(path, at, columns[i], cell)
		if columns[i] == "name" {
			name = content
			continue
		}
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: columns[i], Line: int(at.Line), Column: int(at.Column)}
		point.Content = append(point.Content, key, content)
	}
	if name == nil {
		l.r.problem(first, path, "the point has no name")
		return
	}
	l.node.Content = append(l.node.Content, name, point)
}

// cell returns what a cell has.
func (l *pointList) cell(path string, at Position, column, text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: int(at.Line), Column: int(at.Column)}
	switch {
	case textColumns[column]:
		node.Style = yaml.DoubleQuotedStyle
	case text[0] == '[' || text[0] == '{':
		var tree yaml.Node
		if err := yaml.Load([]byte(text), &tree); err != nil || len(tree.Content) != 1 {
			l.r.problem(at, path, "%q is no list and no mapping", clip(text))
			break
		}
		node = tree.Content[0]
		moved(node, at)
		l.r.plain(node)
	}
	return node
}

// moved puts a tree in its place in the file.
func moved(n *yaml.Node, at Position) {
	n.Line, n.Column = int(at.Line), int(at.Column)
	for _, child := range n.Content {
		moved(child, at)
	}
}
