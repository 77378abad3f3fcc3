package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultListen   = "127.0.0.1:4222"
	defaultJSMemory = 64 << 20
	defaultJSDisk   = 1 << 30
	defaultJSSync   = 10 * time.Second
	mostStore       = 1 << 50
	shortestSync    = 100 * time.Millisecond
	longestSync     = time.Hour
	whatNATSContext = "the name of a NATS context, or the path of its file"
)

func defaultNATS() NATS {
	return NATS{Embedded: &Embedded{
		Listen: defaultListen, JetStream: true,
		Store: Store{Memory: defaultJSMemory, Disk: defaultJSDisk, Sync: defaultJSSync},
	}, Stream: defaultStream()}
}

func (v value) nats() NATS {
	n := defaultNATS()
	embedded, remote := n.Embedded, &Remote{}
	o, ok := v.object(natsKeys(embedded, remote, &n), natsLater())
	switch {
	case !ok:
	case o.has("embedded"):
		for _, key := range remoteKeys() {
			if o.has(key) {
				o[key].problem("%s belongs to a server elsewhere, expected either embedded or url", key)
			}
		}
	case o.has("url"), o.has("context"):
		remote.check(o)
		n.Embedded, n.Remote = nil, remote
	default:
		for _, key := range remoteKeys() {
			if o.has(key) {
				v.missing("url", "the server that the other keys are for, such as nats://hub:4222")
				break
			}
		}
	}
	return n
}

// remoteKeys are those that a server elsewhere has.
func remoteKeys() []string {
	return []string{"url", "context", "creds", "nkey", "token", "user", "password", "tls"}
}

func natsKeys(e *Embedded, r *Remote, n *NATS) keys {
	return keys{
		"stream":   func(v value) { v.object(streamKeys(&n.Stream), nil) },
		"modules":  func(v value) { v.object(modulesKeys(n), nil) },
		"embedded": func(v value) { v.embedded(e) },
		"commands": func(v value) { oneOf(v, &n.Commands, CommandsAll, CommandsRead, CommandsNone) },
		"url":      func(v value) { v.natsURL(&r.URL) },
		"context":  func(v value) { v.natsContext(&r.Context) },
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

func modulesKeys(n *NATS) keys {
	return keys{"domain": func(v value) { v.domain(&n.ModulesDomain) }}
}

// domain reads the name of a JetStream domain: one token of a subject.
func (v value) domain(into *string) {
	const what = "the name of a JetStream domain, such as hub"
	if v.text(into, what) && strings.ContainsAny(*into, ".*> \t\r\n") {
		v.expected(what)
	}
}

func natsLater() later {
	return later{"prefix": "another subject prefix than drover"}
}

func (v value) embedded(e *Embedded) {
	o, _ := v.object(embeddedKeys(e), nil)
	for _, key := range []string{"account", "creds"} {
		if o.has(key) && !o.has("config") {
			o[key].problem("%s is about a server with a configuration of its own, expected config as well", key)
		}
	}
	if o.has("account") && o.has("creds") {
		o["account"].problem("the credentials say the account, expected either account or creds")
	}
	if o.has("config") && !o.has("listen") {
		e.Listen = "" // the file may have one
	}
}

func embeddedKeys(e *Embedded) keys {
	return keys{
		"listen":    func(v value) { v.endpoint(&e.Listen, "an address to listen on, such as 127.0.0.1:4222", 0) },
		"jetstream": func(v value) { v.boolean(&e.JetStream) },
		"store":     func(v value) { v.object(storeKeys(&e.Store), nil) },
		"config":    func(v value) { v.file(&e.Config, "the path of a nats-server configuration") },
		"account":   func(v value) { v.text(&e.Account, "the name of an account of config") },
		"creds":     func(v value) { v.file(&e.Creds, "the path of a credentials file") },
	}
}

func storeKeys(s *Store) keys {
	return keys{
		"memory": func(v value) { v.size(&s.Memory, 1<<20, mostStore, 1<<10) },
		"disk":   func(v value) { v.size(&s.Disk, 1<<20, mostStore, 1<<10) },
		"sync":   func(v value) { v.sync(s) },
	}
}

// sync reads how often what is written is forced to disk.
func (v value) sync(s *Store) {
	if v.node.Value == "always" {
		s.SyncAlways = true
		return
	}
	if _, err := parseDuration(v.node.Value); err != nil {
		v.expected("always, or a duration such as 10s")
		return
	}
	v.duration(&s.Sync, shortestSync, longestSync)
}

// natsContext reads the name of a NATS context, or a path, which has a separator in it and becomes absolute.
func (v value) natsContext(into *string) {
	if v.text(into, whatNATSContext) && strings.ContainsAny(*into, `/\`) {
		*into = v.r.absolute(*into)
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
