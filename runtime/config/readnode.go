package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	defaultData   = "data"
	defaultListen = "127.0.0.1:4222"
)

func (r *reader) node(root *yaml.Node) *Node {
	n := &Node{File: r.file, Data: r.absolute(defaultData), NATS: defaultNATS()}
	v := value{r: r, node: root, key: top}
	o, ok := v.object(nodeKeys(n), nodeLater())
	if ok && !o.has("node") {
		v.missing("node", "the node's name, such as plant-1")
	}
	if ok && !o.has("channels") {
		v.missing("channels", "a mapping of channel names")
	}
	r.portsOnce(n)
	return n
}

func nodeKeys(n *Node) keys {
	return keys{
		"node":     func(v value) { v.name(&n.Name) },
		"data":     func(v value) { v.file(&n.Data, "the path of a folder") },
		"nats":     func(v value) { n.NATS = v.nats() },
		"channels": func(v value) { n.Channels = v.channels() },
	}
}

func nodeLater() later {
	return later{
		"templates": "templates; write the settings and points at each device",
		"include":   "include; write all channels in this file",
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

func defaultNATS() NATS {
	return NATS{Embedded: &Embedded{Listen: defaultListen, JetStream: true}}
}

func (v value) nats() NATS {
	embedded, remote := defaultNATS().Embedded, &Remote{}
	o, ok := v.object(natsKeys(embedded, remote), natsLater())
	switch {
	case !ok:
	case o.has("embedded"):
		for _, key := range []string{"url", "creds", "nkey", "token", "user", "password", "tls"} {
			if o.has(key) {
				o[key].problem("%s belongs to a server elsewhere, expected either embedded or url", key)
			}
		}
	case o.has("url"):
		remote.check(o)
		return NATS{Remote: remote}
	case len(o) > 0:
		v.missing("url", "the server that the other keys are for, such as nats://hub:4222")
	}
	return NATS{Embedded: embedded}
}

func natsKeys(e *Embedded, r *Remote) keys {
	return keys{
		"embedded": func(v value) { v.object(embeddedKeys(e), nil) },
		"url":      func(v value) { v.natsURL(&r.URL) },
		"creds":    func(v value) { v.file(&r.Creds, "the path of a credentials file") },
		"nkey":     func(v value) { v.file(&r.NKey, "the path of a file with an nkey seed") },
		"token":    func(v value) { v.secret(&r.Token, "a token") },
		"user":     func(v value) { v.secret(&r.User, "a user's name") },
		"password": func(v value) { v.secret(&r.Password, "a password") },
		"tls": func(v value) {
			r.TLS = &TLS{}
			v.tls(r.TLS)
		},
	}
}

func natsLater() later {
	return later{
		"context":  "NATS contexts; write url and creds",
		"commands": "commands; a node that is a client of a server elsewhere serves looks only",
		"prefix":   "another subject prefix than drover",
	}
}

func embeddedKeys(e *Embedded) keys {
	return keys{
		"listen":    func(v value) { v.endpoint(&e.Listen, "an address to listen on, such as 127.0.0.1:4222", 0) },
		"jetstream": func(v value) { v.boolean(&e.JetStream) },
		"config":    func(v value) { v.file(&e.Config, "the path of a nats-server configuration") },
	}
}

// check reports credentials that exclude each other.
func (r *Remote) check(o object) {
	first := ""
	for _, key := range []string{"creds", "nkey", "token", "user"} {
		switch {
		case !o.has(key):
		case first == "":
			first = key
		default:
			o[key].problem("%s and %s exclude each other, expected one of them", first, key)
		}
	}
	if o.has("user") != o.has("password") {
		given, other := o["user"], "password"
		if o.has("password") {
			given, other = o["password"], "user"
		}
		given.problem("%s is missing, expected user and password together", other)
	}
}

func (v value) secret(into *Secret, what string) {
	var text string
	if v.text(&text, what) {
		*into = Secret(text)
	}
}

func (v value) tls(t *TLS) {
	o, _ := v.object(tlsKeys(t), nil)
	if o.has("cert") != o.has("key") {
		v.problem("expected cert and key together, found one of them")
	}
}

func tlsKeys(t *TLS) keys {
	return keys{
		"ca":   func(v value) { v.file(&t.CA, "the path of a PEM file with certificates") },
		"cert": func(v value) { v.file(&t.Cert, "the path of a PEM file with a certificate") },
		"key":  func(v value) { v.file(&t.Key, "the path of a PEM file with a private key") },
	}
}

// natsURL reads one URL or several, separated by commas.
func (v value) natsURL(into *string) {
	const what = "a URL such as nats://hub:4222 or tls://hub:4222"
	if !v.text(into, what) {
		return
	}
	for part := range strings.SplitSeq(*into, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		switch {
		case err != nil || u.Hostname() == "" || !natsScheme(u.Scheme):
			v.expected(what)
			return
		case u.User != nil:
			v.problem("the URL has credentials, expected them in user and password or token")
			return
		}
	}
}

func natsScheme(scheme string) bool {
	return scheme == "nats" || scheme == "tls" || scheme == "ws" || scheme == "wss"
}

// endpoint reads "host:port", the port from least to 65535.
func (v value) endpoint(into *string, what string, least uint64) {
	var text string
	if !v.text(&text, what) {
		return
	}
	host, port, err := net.SplitHostPort(text)
	n, errPort := strconv.ParseUint(port, 10, 16)
	canonical := strconv.FormatUint(n, 10) == port
	if err != nil || errPort != nil || host == "" || strings.ContainsAny(host, " \t/@") || n < least || !canonical {
		v.expected(what)
		return
	}
	*into = text
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
