package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

// conf writes a nats-server configuration.
func conf(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats-server.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// can says whether somebody gets in and may publish the subject.
func can(t *testing.T, url, subject string, options ...nats.Option) error {
	t.Helper()
	nc, err := nats.Connect(url, append(options, nats.NoCallbacksAfterClientClose())...)
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := nc.Publish(subject, nil); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	return nc.LastError()
}

// inProcess is how the node gets in.
func inProcess(t *testing.T, s *embedded.Server) []nats.Option {
	t.Helper()
	return append(as(t, s.Credentials()), nats.InProcessServer(s))
}

// Whatever ways in a file has, the node and the command line of the same user get in beside them, and nobody else does.
func TestFile(t *testing.T) {
	ca := newAuthority(t)
	ca.issue(t, "server")
	ca.issue(t, "client")
	ca.issue(t, "CN=somebody")
	tls := fmt.Sprintf("ca_file: %q, cert_file: %q, key_file: %q", ca.file("ca.pem"), ca.file("server.pem"), ca.file("server-key.pem"))
	trust := nats.RootCAs(ca.file("ca.pem"))
	certificate := nats.ClientCert(ca.file("client.pem"), ca.file("client-key.pem"))
	for _, tt := range []struct {
		name, text string
		// theirs is how the file's own user gets in, and everybody is how all clients must connect.
		theirs, everybody []nats.Option
		anonymous         bool
	}{
		{name: "nothing of it", text: `max_connections: 100`, anonymous: true},
		{name: "user and password", text: `authorization {user: me, password: secret}`, theirs: []nats.Option{nats.UserInfo("me", "secret")}},
		{name: "token", text: `authorization {token: secret}`, theirs: []nats.Option{nats.Token("secret")}},
		{name: "users", text: `authorization {users: [{user: me, password: secret}]}`, theirs: []nats.Option{nats.UserInfo("me", "secret")}},
		{
			name: "accounts", text: `accounts {PLANT {users: [{user: me, password: secret}], jetstream: enabled}}`,
			theirs: []nats.Option{nats.UserInfo("me", "secret")},
		},
		{
			name: "TLS", text: "tls {" + tls + "}\nauthorization {token: secret}",
			theirs: []nats.Option{nats.Token("secret")}, everybody: []nats.Option{trust},
		},
		{
			name: "TLS with client certificates", text: "tls {" + tls + ", verify: true}\nauthorization {token: secret}",
			theirs: []nats.Option{nats.Token("secret")}, everybody: []nats.Option{trust, certificate},
		},
		{
			name: "users by their certificates", text: "tls {" + tls + ", verify_and_map: true}\n" +
				"authorization {users: [{user: \"CN=client\"}]}",
			theirs: []nats.Option{certificate}, everybody: []nats.Option{trust, certificate},
		},
		{
			name: "no_auth_user", text: "authorization {users: [{user: me, password: secret}, {user: guest, permissions: {publish: x}}]}\nno_auth_user: guest",
			theirs: []nats.Option{nats.UserInfo("me", "secret")},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, embedded.Config{Name: "n1", File: conf(t, tt.text), Listen: "127.0.0.1:0", Data: t.TempDir()})
			const call = "drover-call.n1.boiler.write.d.p"
			if err := can(t, "", call, inProcess(t, s)...); err != nil {
				t.Errorf("the node: %v", err)
			}
			// It trusts the server by itself; a certificate of its own it has to be given.
			if err := can(t, s.URL(), call, append(as(t, s.Admin().Credentials), tt.everybody[min(1, len(tt.everybody)):]...)...); err != nil {
				t.Errorf("the command line: %v", err)
			}
			if tt.theirs != nil {
				if err := can(t, s.URL(), call, append(tt.theirs, tt.everybody...)...); err != nil {
					t.Errorf("the file's own user: %v", err)
				}
			}
			nobody := []nats.Option{}
			if tt.everybody != nil {
				nobody = append(nobody, trust)
			}
			if err := can(t, s.URL(), call, nobody...); err == nil {
				t.Error("anybody may write")
			}
			err := can(t, s.URL(), "drover-call.n1.get.ping", nobody...)
			if (err == nil) != tt.anonymous {
				t.Errorf("anonymous: %v", err)
			}
		})
	}
}

// The node lives in the account that it is told; others do not hear it.
func TestAccount(t *testing.T) {
	file := conf(t, `accounts {
  PLANT {users: [{user: plant, password: secret}], jetstream: enabled}
  OFFICE {users: [{user: office, password: secret}]}
}`)
	s := start(t, embedded.Config{File: file, Listen: "127.0.0.1:0", Data: t.TempDir(), Account: "PLANT"})
	node, _ := connect(t, "", inProcess(t, s)...)
	heard := map[string]*nats.Subscription{}
	for _, user := range []string{"plant", "office"} {
		nc, _ := connect(t, s.URL(), nats.UserInfo(user, "secret"))
		sub, err := nc.SubscribeSync("drover.>")
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		heard[user] = sub
	}
	if err := node.Publish("drover.n1.boiler.state", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := heard["plant"].NextMsg(patience); err != nil {
		t.Errorf("its own account: %v", err)
	}
	if n, _, _ := heard["office"].Pending(); n != 0 {
		t.Error("another account hears the node")
	}
	if m, err := node.Request("$JS.API.INFO", nil, patience); err != nil || strings.Contains(string(m.Data), `"error"`) {
		t.Errorf("JetStream in the account: %v, %v", m, err)
	}
}

// What a file leaves open is as without it; what it says holds.
func TestFileLiesOverOurs(t *testing.T) {
	data := t.TempDir()
	s := start(t, embedded.Config{Name: "n1", File: conf(t, "server_name: mine\nlisten: \"127.0.0.1:-1\"\n"), Data: data})
	nc, _ := connect(t, s.URL(), as(t, s.Admin().Credentials)...)
	if nc.ConnectedServerName() != "mine" {
		t.Errorf("the server's name is %s", nc.ConnectedServerName())
	}
	createStream(t, nc, `{"name":"X","subjects":["x.>"],"storage":"file"}`)
	if _, err := os.Stat(filepath.Join(data, "jetstream")); err != nil {
		t.Error(err)
	}
	elsewhere := t.TempDir()
	s = start(t, embedded.Config{
		File: conf(t, fmt.Sprintf("jetstream {store_dir: %q, max_file: 8MB}", elsewhere)), Listen: "127.0.0.1:0", Data: data,
	})
	nc, _ = connect(t, s.URL(), as(t, s.Admin().Credentials)...)
	createStream(t, nc, `{"name":"Y","subjects":["y.>"],"storage":"file"}`)
	if _, err := os.Stat(filepath.Join(elsewhere, "jetstream", "$G", "streams", "Y")); err != nil {
		t.Error(err)
	}
	s = start(t, embedded.Config{File: conf(t, "jetstream: disabled"), Listen: "127.0.0.1:0", Data: t.TempDir()})
	nc, _ = connect(t, s.URL(), as(t, s.Admin().Credentials)...)
	if _, err := nc.Request("$JS.API.STREAM.CREATE.X", []byte(`{"name":"X"}`), patience); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("a file that switches JetStream off: %v", err)
	}
}

// What is wrong with a file is said with its line, and what is wrong with the place that it has here, too.
func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "listen: \"127.0.0.1:-1\"\nmax_conections: 5\n", `FILE:2:1: unknown field "max_conections"`},
		{"two of them", "max_conections: 5\nauthorization {usr: a}\n", "FILE:1:1: unknown field \"max_conections\"\nFILE:2:16: unknown field \"usr\""},
		{"no syntax", "listen: 4222\ntls {\n", "FILE:"},
		{"value", "max_payload: lots\n", "FILE:1:"},
		{"variable", "port: $NOWHERE\n", "FILE:1:1: variable reference for 'NOWHERE'"},
		{"certificate", "tls {cert_file: nowhere.pem, key_file: nowhere.pem}\n", "FILE:1:1: error parsing X509 certificate/key pair"},
		{"two addresses", "port: 4333\n", "names an address to listen on, and so does nats.embedded.listen (127.0.0.1:0)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := embedded.Config{File: conf(t, tt.text), Listen: "127.0.0.1:0", NoJetStream: true}
			want := strings.ReplaceAll(tt.want, "FILE", c.File)
			for what, err := range map[string]error{"check": embedded.Check(c), "start": startAndStop(c)} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v\nwant %s", what, err, want)
				}
			}
		})
	}
	for _, tt := range []struct {
		name string
		c    embedded.Config
		want string
	}{
		{"no file", embedded.Config{File: "nowhere.conf"}, "nowhere.conf"},
		{"no such account", embedded.Config{File: conf(t, "accounts {A {users: [{user: a, password: a}]}}"), Account: "B", NoJetStream: true}, `no account "B"`},
		{"creds for no operator", embedded.Config{File: conf(t, "port: -1"), Creds: "x.creds", NoJetStream: true}, "no operator"},
	} {
		if err := embedded.Check(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func startAndStop(c embedded.Config) error {
	s, err := embedded.Start(c)
	if err != nil {
		return err
	}
	return s.Shutdown(context.Background())
}

// A file's own listeners do not let in more than the main one: clients of websocket are as anonymous, and so is
// a leaf node that comes without credentials.
func TestOtherListeners(t *testing.T) {
	ports := freePorts(t, 2)
	file := conf(t, fmt.Sprintf(`
websocket {listen: "127.0.0.1:%d", no_tls: true}
leafnodes {listen: "127.0.0.1:%d"}
`, ports[0], ports[1]))
	s := start(t, embedded.Config{Name: "n1", File: file, Listen: "127.0.0.1:0", Data: t.TempDir()})
	url := fmt.Sprintf("ws://127.0.0.1:%d", ports[0])
	if err := can(t, url, "drover-call.n1.get.ping"); err != nil {
		t.Errorf("anonymous looks: %v", err)
	}
	if err := can(t, url, "drover-call.n1.ctl.stop"); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("anonymous stops a channel: %v", err)
	}
	node, _ := connect(t, "", inProcess(t, s)...)
	calls := make(chan *nats.Msg, 4096)
	for _, subject := range []string{"drover-call.n1.ctl.*", "drover-call.n1.*.write.>"} {
		if _, err := node.ChanSubscribe(subject, calls); err != nil {
			t.Fatal(err)
		}
	}
	try := func(who, login string, until func() bool) {
		leaf := start(t, embedded.Config{
			File: conf(t, fmt.Sprintf("leafnodes {remotes: [{url: \"nats://127.0.0.1:%d\"%s}]}", ports[1], login)),
			Name: who, Listen: "127.0.0.1:0", NoJetStream: true, LeafCalls: true,
		})
		eventually(t, "the leaf is connected", func() bool { return leaf.Links()[0].State == "connected" })
		nc, _ := connect(t, leaf.URL(), as(t, leaf.Admin().Credentials)...)
		eventually(t, "what "+who+" says goes through", func() bool {
			for _, subject := range []string{"drover-call.n1.ctl.stop", "drover-call.n1.boiler.write.d.p"} {
				if err := nc.Publish(subject, []byte(who)); err != nil {
					t.Fatal(err)
				}
			}
			return nc.Flush() == nil && until()
		})
	}
	tries := 0
	try("intruder", "", func() bool { tries++; return tries > 20 })
	try("admin", `, nkey: "`+s.Admin().Credentials.Seed+`"`, func() bool { return len(calls) > 0 })
	for len(calls) > 0 {
		if m := <-calls; string(m.Data) != "admin" {
			t.Errorf("%s came to %s through a leaf without credentials", m.Data, m.Subject)
		}
	}
}

// freePorts returns ports of loopback that were free.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}
