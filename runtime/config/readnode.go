package config

import (
	"go.yaml.in/yaml/v4"
)

const defaultData = "data"

func (r *reader) node(root *yaml.Node) *Node {
	n := &Node{File: r.file, Data: r.absolute(defaultData), NATS: defaultNATS()}
	v := value{r: r, node: root, key: r.top()}
	o, ok := v.object(nodeKeys(n), nil)
	if ok && !o.has("node") {
		v.missing("node", "the node's name, such as plant-1")
	}
	if ok && !o.has("channels") {
		v.missing("channels", "a mapping of channel names")
	}
	r.channelsOf(n, o)
	r.portsOnce(n)
	r.streamFits(n)
	n.Files = r.files
	return n
}

func nodeKeys(n *Node) keys {
	return keys{
		"node":  func(v value) { v.name(&n.Name) },
		"data":  func(v value) { v.file(&n.Data, "the path of a folder") },
		"nats":  func(v value) { n.NATS = v.nats() },
		"http":  func(v value) { n.HTTP = v.http() },
		"trust": func(v value) { v.trust(&n.Trust) },
		// Templates come before those who use them, wherever they stand.
		"templates": nil,
		"include":   nil,
		"channels":  nil,
	}
}

// channelsOf reads the templates of all files, then the channels.
func (r *reader) channelsOf(n *Node, o object) {
	parts := []included{{templates: o["templates"], channels: o["channels"]}}
	if o.has("include") {
		parts = append(parts, o["include"].include()...)
	}
	for _, p := range parts {
		if p.templates.node != nil {
			p.templates.readTemplates()
		}
	}
	first := map[string]Position{}
	for _, p := range parts {
		if p.channels.node == nil {
			continue
		}
		for _, c := range p.channels.channels() {
			if other, taken := first[c.Name]; taken {
				r.problem(c.Position, "channels", "channel %q is there already, in %s on line %d", c.Name, other.File, other.Line)
				continue
			}
			first[c.Name] = c.Position
			n.Channels = append(n.Channels, c)
		}
	}
}

// name reads a token of a subject.
func (v value) name(into *string) {
	var name string
	if !v.text(&name, "a name of "+nameRule) {
		return
	}
	if len(name) > maxName || !nameForm.MatchString(name) {
		v.expected("a name of " + nameRule)
		return
	}
	*into = name
}

// portsOnce reports serial ports that more than one connection names: two channels cannot share a line.
func (r *reader) portsOnce(n *Node) {
	first := map[string]*Serial{}
	for _, c := range n.Channels {
		for _, connection := range c.Connections {
			s := connection.Serial
			if s == nil || s.Path == "" {
				continue
			}
			if other, ok := first[s.Path]; ok {
				r.problem(s.at, s.path, "the serial port %q is taken by %s on line %d already, expected one connection a port",
					clip(s.Path), other.path, other.at.Line)
				continue
			}
			first[s.Path] = s
		}
	}
}
