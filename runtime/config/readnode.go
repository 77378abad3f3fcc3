package config

import (
	"fmt"

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

// portsOnce reports serial ports, and local addresses, that more than one connection names: two channels cannot share
// one.
func (r *reader) portsOnce(n *Node) {
	first := map[string]place{}
	for _, c := range n.Channels {
		for _, connection := range c.Connections {
			p, ok := connection.place()
			if !ok {
				continue
			}
			if other, taken := first[p.what]; taken {
				r.problem(p.at, p.path, "%s is taken by %s on line %d already, expected one connection a port", p.what, other.path,
					other.at.Line)
				continue
			}
			first[p.what] = p
		}
	}
}

// place is what only one connection can have, and where the file names it.
type place struct {
	what string
	at   Position
	path string
}

// place returns what nobody else can have besides the connection; false where there is nothing.
func (c *Connection) place() (place, bool) {
	switch {
	case c.Serial != nil && c.Serial.Path != "":
		return place{fmt.Sprintf("the serial port %q", clip(c.Serial.Path)), c.Serial.at, c.Serial.path}, true
	case c.UDP != nil && c.UDP.Local.Port() != 0:
		return place{fmt.Sprintf("UDP at %s", c.UDP.Local), c.UDP.at, c.UDP.path}, true
	case c.Listener != nil && c.Listener.Address.IsValid():
		return place{fmt.Sprintf("TCP at %s", c.Listener.Address), c.Listener.at, c.Listener.path}, true
	}
	return place{}, false
}
