package natsbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// documented returns the code of docs/deployment.md that follows a heading, in the language given.
func documented(t *testing.T, heading, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	_, code, found := strings.Cut(section, "\n```"+language+"\n")
	code, _, ended := strings.Cut(code, "\n```\n")
	if !ok || !found || !ended {
		t.Fatalf("no %s under %q", language, heading)
	}
	return code
}

// ordinary runs a server that somebody else configured, with JetStream.
func ordinary(t *testing.T, text string) *server.Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats-server.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options.Host, options.Port, options.NoSigs, options.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	if options.StoreDir == "" {
		options.StoreDir = t.TempDir()
	}
	return run(t, options)
}

// liveUnder runs a node with everything that it does, as a client that may do no more than it is said to, and checks
// that the server has had nothing to object to, and that the node reached everybody that it wanted to.
func liveUnder(t *testing.T, url string, credentials dial.Credentials, admin ...nats.Option) {
	t.Helper()
	b := startBridge(t, natsbridge.Config{
		Node: "plant-1", URL: url, Credentials: credentials, CommandPolicy: natsbridge.CommandsAll,
		Commands: plant{"ok": newBoiler(t, obey)}, Stream: natsbridge.Stream{Channels: []string{"ch"}, Memory: true},
	})
	nc := callerOf(t, url, admin...)
	sub := nc.listen("drover.plant-1.>")
	newPoller(b, "ch", "d1").poll()
	b.Event("ok", "lost", nil)
	for heard := map[string]bool{}; !heard["drover.plant-1.ch.data.d1"] || !heard["drover.plant-1.ok.event.lost"]; {
		heard[next(t, sub).Subject] = true
	}
	js, err := jetstream.New(nc.Conn)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the heartbeat is kept", func() bool {
		kv, err := js.KeyValue(bounded(t), "drover-plant-1")
		if err != nil {
			return false
		}
		_, err = kv.Get(bounded(t), message.KeyHeartbeat)
		return err == nil
	})
	eventually(t, "data and events are acknowledged", func() bool {
		s := b.Stats()
		return s.Data.Acked > 0 && s.Events.Acked > 0
	})
	for _, subject := range []string{"drover-call.plant-1.get.ping", "drover-call.plant-1.ok.read.water.supply", "$SRV.PING.drover-plant-1"} {
		m, err := nc.Request(subject, nil, patience)
		if err != nil || m.Header.Get("Nats-Service-Error") != "" {
			t.Errorf("%s: %v, %v", subject, m, err)
		}
	}
	if s := b.Stats(); s.Violations != 0 {
		t.Errorf("%d objections, the last one: %s", s.Violations, s.LastViolation)
	}
}

// trespass checks what the same credentials are refused.
func trespass(t *testing.T, url string, credentials dial.Credentials) {
	t.Helper()
	options, err := credentials.Options()
	if err != nil {
		t.Fatal(err)
	}
	objections := make(chan error, 64)
	nc := callerOf(t, url, append(options, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		objections <- err
	}))...)
	for _, subject := range []string{
		"drover.plant-2.ch.data.d1", "drover-call.plant-2.ch.write.d.p", "drover-call.plant-1.ctl.stop", "$KV.drover-plant-2.heartbeat",
		"$JS.API.STREAM.DELETE.KV_drover-plant-2", "$JS.API.STREAM.CREATE.ALL", "$JS.API.CONSUMER.CREATE.KV_drover-plant-1",
	} {
		if err := nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		refused(t, objections, subject)
	}
	for _, subject := range []string{"drover-call.plant-2.>", "drover.>", "_INBOX.>", "_INBOX_plant-2.>", ">"} {
		if _, err := nc.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		refused(t, objections, subject)
	}
}

func refused(t *testing.T, objections <-chan error, subject string) {
	t.Helper()
	select {
	case err := <-objections:
		if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), `"`+subject+`"`) {
			t.Errorf("%s: %v", subject, err)
		}
	case <-time.After(patience):
		t.Errorf("%s is permitted", subject)
	}
}

// The list in the documentation is enough for a node, and for nothing else.
func TestNodeThatMayDoNothingElse(t *testing.T) {
	text := documented(t, "A node that may do nothing else", "conf")
	text = strings.Replace(text, "users: [", "users: [\n{user: admin, password: secret}\n", 1)
	s := ordinary(t, "jetstream: enabled\n"+text)
	credentials := dial.Credentials{User: "plant-1", Password: "change me"}
	liveUnder(t, s.ClientURL(), credentials, nats.UserInfo("admin", "secret"))
	trespass(t, s.ClientURL(), credentials)
}

// listed returns the subjects of a list in a configuration.
func listed(t *testing.T, text, name string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, name+": [")
	list, _, ended := strings.Cut(rest, "]")
	if !ok || !ended {
		t.Fatalf("no list %s", name)
	}
	var subjects []string
	for i, part := range strings.Split(list, `"`) {
		if i%2 == 1 {
			subjects = append(subjects, strings.ReplaceAll(part, "plant-1", "{{name()}}"))
		}
	}
	return subjects
}

// In operator mode one scoped signing key has the same list for every node.
func TestScopedSigningKey(t *testing.T) {
	text := documented(t, "A node that may do nothing else", "conf")
	o := newOperator(t)
	scope := jwt.NewUserScope()
	scope.Key, scope.Role = public(t, o.signing), "node"
	scope.Template.Pub.Allow.Add(listed(t, text, "publish")...)
	scope.Template.Sub.Allow.Add(listed(t, text, "subscribe")...)
	scope.Template.Resp = &jwt.ResponsePermission{MaxMsgs: 1, Expires: 10 * time.Minute}
	o.account.SigningKeys.AddScopedSigner(scope)
	s := o.run(t, "jetstream: enabled")
	credentials := dial.Credentials{File: o.user(t, "plant-1", true)}
	admin := dial.Credentials{File: o.user(t, "admin", false)}
	options, err := admin.Options()
	if err != nil {
		t.Fatal(err)
	}
	liveUnder(t, s.ClientURL(), credentials, options...)
	trespass(t, s.ClientURL(), credentials)
}

// operator is an operator with one account.
type operator struct {
	key, system, accountKey, signing nkeys.KeyPair
	account                          *jwt.AccountClaims
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{}
	for key, make := range map[*nkeys.KeyPair]func() (nkeys.KeyPair, error){
		&o.key: nkeys.CreateOperator, &o.system: nkeys.CreateAccount, &o.accountKey: nkeys.CreateAccount, &o.signing: nkeys.CreateAccount,
	} {
		pair, err := make()
		if err != nil {
			t.Fatal(err)
		}
		*key = pair
	}
	o.account = jwt.NewAccountClaims(public(t, o.accountKey))
	o.account.Name = "PLANT"
	o.account.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	return o
}

func public(t *testing.T, pair nkeys.KeyPair) string {
	t.Helper()
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encode(t *testing.T, claims interface {
	Encode(nkeys.KeyPair) (string, error)
}, by nkeys.KeyPair,
) string {
	t.Helper()
	text, err := claims.Encode(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// conf is a server's configuration with the operator.
func (o *operator) conf(t *testing.T, more string) string {
	t.Helper()
	claims := jwt.NewOperatorClaims(public(t, o.key))
	claims.SystemAccount = public(t, o.system)
	system := jwt.NewAccountClaims(public(t, o.system))
	return fmt.Sprintf(`
operator: %s
system_account: %s
resolver: MEMORY
resolver_preload: {%s: %s, %s: %s}
%s
`, encode(t, claims, o.key), public(t, o.system), public(t, o.system), encode(t, system, o.key),
		public(t, o.accountKey), encode(t, o.account, o.key), more)
}

func (o *operator) run(t *testing.T, more string) *server.Server {
	t.Helper()
	return ordinary(t, o.conf(t, more))
}

// A server in the node whose file has an operator takes the node by its credentials, and nobody without.
func TestEmbeddedWithAnOperator(t *testing.T) {
	o := newOperator(t)
	file := filepath.Join(t.TempDir(), "nats-server.conf")
	if err := os.WriteFile(file, []byte(o.conf(t, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	c := embedded.Config{Name: "n1", Listen: "127.0.0.1:0", File: file, NoJetStream: true}
	if err := embedded.Check(c); err == nil || !strings.Contains(err.Error(), "nats.embedded.creds") {
		t.Errorf("without credentials: %v", err)
	}
	c.Creds = o.user(t, "n1", false)
	s := startEmbedded(t, c)
	b := startBridge(t, natsbridge.Config{Server: s})
	eventually(t, "connected", func() bool { return b.Stats().Connected })
	local, err := client.Connect(bounded(t), client.Options{URL: s.URL(), Credentials: s.Admin().Credentials})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if err := local.Get(bounded(t), "n1", "ping", nil, nil); err != nil {
		t.Error(err)
	}
	if _, err := client.Connect(bounded(t), client.Options{URL: s.URL()}); !errors.Is(err, client.ErrDenied) {
		t.Errorf("without credentials: %v", err)
	}
}

// user makes a user of the account and returns its credentials file.
func (o *operator) user(t *testing.T, name string, scoped bool) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.NewUserClaims(public(t, pair))
	claims.Name = name
	by := o.accountKey
	if scoped {
		claims.IssuerAccount = public(t, o.accountKey)
		claims.SetScoped(true)
		by = o.signing
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(encode(t, claims, by), seed)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".creds")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWaysIn connects a node and a client in each way that there is, and sees that the wrong one gets nowhere.
func TestWaysIn(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "node.nk")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOperator(t)
	for _, tt := range []struct {
		name string
		s    func(t *testing.T) *server.Server
		c    dial.Credentials
	}{
		{"token", func(t *testing.T) *server.Server { return ordinary(t, "authorization {token: secret}") }, dial.Credentials{Token: "secret"}},
		{"user", func(t *testing.T) *server.Server { return ordinary(t, "authorization {user: u, password: p}") }, dial.Credentials{User: "u", Password: "p"}},
		{"nkey", func(t *testing.T) *server.Server {
			return ordinary(t, "authorization {users: [{nkey: "+public(t, pair)+"}]}")
		}, dial.Credentials{NKey: file}},
		{"creds", func(t *testing.T) *server.Server { return o.run(t, "") }, dial.Credentials{File: o.user(t, "u", false)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.s(t).ClientURL()
			b := startBridge(t, natsbridge.Config{URL: url, Credentials: tt.c})
			eventually(t, "connected", func() bool { return b.Stats().Connected })
			c, err := client.Connect(bounded(t), client.Options{Context: contextOf(t, url, tt.c)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var p message.Ping
			if err := c.Get(bounded(t), "n1", "ping", nil, &p); err != nil || p.Links[0].State != "connected" || p.Links[0].Number != 3 {
				t.Errorf("%+v, %v", p, err)
			}
			if _, err := client.Connect(bounded(t), client.Options{URL: url}); !errors.Is(err, client.ErrDenied) || errors.Is(err, client.ErrUnreachable) {
				t.Errorf("without credentials: %v", err)
			}
		})
	}
}

// contextOf writes a NATS context.
func contextOf(t *testing.T, url string, c dial.Credentials) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{
		"url": url, "token": c.Token, "user": c.User, "password": c.Password, "nkey": c.NKey, "creds": c.File,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "context.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The connection has the states of a channel: which attempt, since when, and what went wrong.
func TestLinkStates(t *testing.T) {
	address := freeAddress(t)
	b := startBridge(t, natsbridge.Config{URL: "nats://" + address})
	if s := b.Stats(); s.Connected {
		t.Fatal("connected to nobody")
	}
	options := func() *server.Options {
		o := jetStreamOptions(address, "")
		o.JetStream = false
		return o
	}
	s := run(t, options())
	ping := func() message.Link {
		c, err := client.Connect(bounded(t), client.Options{URL: "nats://" + address})
		if err != nil {
			return message.Link{}
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(bounded(t), time.Second)
		defer cancel()
		var p message.Ping
		if err := c.Get(ctx, "n1", "ping", nil, &p); err != nil {
			return message.Link{}
		}
		return p.Links[0]
	}
	eventually(t, "connected", func() bool { return ping().State == "connected" })
	if l := ping(); l.Name != "server" || l.URL != "nats://"+address || l.Attempt != 0 || l.Reconnects != 0 || l.LastError == "" {
		t.Errorf("got %+v", l)
	}
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "lost", func() bool { return !b.Stats().Connected })
	run(t, options())
	eventually(t, "connected again", func() bool { return ping().Reconnects == 1 })
}
