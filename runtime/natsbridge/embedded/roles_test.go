package embedded_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

// everybody is who may be on a server without a file of its own.
func everybody() []string { return []string{"anonymous", "observer", "operator", "admin"} }

// login are the options of a role, by the context that the server left in its data directory.
func login(t *testing.T, data, who string) []nats.Option {
	t.Helper()
	if who == "anonymous" {
		return nil
	}
	c, err := dial.ReadContext(filepath.Join(data, "credentials", who+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var credentials dial.Credentials
	c.Fill(&credentials)
	return append(as(t, credentials), nats.CustomInboxPrefix(c.InboxPrefix))
}

// TestPermissions holds each role against each subject, on a real server: the least role that may.
func TestPermissions(t *testing.T) {
	publish := map[string]string{
		"drover-call.n1.get.ping":                                 "anonymous",
		"drover-call.n1.get.last":                                 "anonymous",
		"drover-call.n1.get.crashes":                              "anonymous",
		"drover-call.n1.get.crash":                                "operator",
		"drover-call.n1.get.show":                                 "anonymous",
		"drover-call.n1.get.logs":                                 "operator",
		"drover-call.n1.ctl.log-level":                            "admin",
		"$SRV.PING":                                               "anonymous",
		"$SRV.INFO.drover-n1":                                     "anonymous",
		"$SRV.STATS.drover-n1.x":                                  "anonymous",
		"$JS.API.INFO":                                            "anonymous",
		"$JS.API.STREAM.LIST":                                     "anonymous",
		"$JS.API.STREAM.NAMES":                                    "anonymous",
		"$JS.API.STREAM.INFO.KV_drover-n1":                        "anonymous",
		"$JS.API.STREAM.INFO.drover-n1-data":                      "anonymous",
		"$JS.API.STREAM.INFO.drover-n1-events":                    "anonymous",
		"$JS.API.DIRECT.GET.KV_drover-n1.$KV.drover-n1.heartbeat": "anonymous",
		"$JS.API.DIRECT.GET.KV_drover-n1":                         "observer",
		"$JS.API.STREAM.MSG.GET.drover-n1-events":                 "observer",
		"$JS.API.STREAM.INFO.OBJ_drover-modules":                  "observer",
		"$JS.API.DIRECT.GET.OBJ_drover-modules":                   "observer",
		"$JS.API.STREAM.PURGE.OBJ_drover-modules":                 "admin",
		"$O.drover-modules.C.x":                                   "admin",
		"$O.drover-modules.M.x":                                   "admin",
		"drover-call.n1.get.modules":                              "anonymous",
		"drover-call.n1.ctl.forget-module":                        "admin",
		"drover-call.n1.boiler.read.p1.sp":                        "operator",
		"drover-call.n1.boiler.write.p1.sp":                       "operator",
		"drover-call.n1.boiler.write.p1":                          "operator",
		"drover-call.n1.boiler.invoke._.reset":                    "operator",
		"drover-call.n1.ctl.stop":                                 "admin",
		"drover.n1.boiler.data.p1":                                "admin",
		"drover.n1.boiler.state":                                  "admin",
		"$KV.drover-n1.heartbeat":                                 "admin",
		"$JS.API.CONSUMER.CREATE.KV_drover-n1":                    "admin",
		"$JS.API.CONSUMER.CREATE.drover-n1-data.c.drover.>":       "admin",
		"$JS.API.CONSUMER.DURABLE.CREATE.drover-n1-data.c":        "admin",
		"$JS.API.CONSUMER.MSG.NEXT.drover-n1-data.c":              "admin",
		"$JS.API.CONSUMER.DELETE.drover-n1-data.c":                "admin",
		"$JS.API.STREAM.CREATE.X":                                 "admin",
		"$JS.API.STREAM.UPDATE.drover-n1-data":                    "admin",
		"$JS.API.STREAM.DELETE.drover-n1-data":                    "admin",
		"$JS.API.STREAM.PURGE.drover-n1-data":                     "admin",
		"$JS.API.STREAM.SNAPSHOT.drover-n1-data":                  "admin",
		"$JS.API.STREAM.INFO.THEIRS":                              "admin",
		"$JS.API.DIRECT.GET.THEIRS.x":                             "admin",
		"_INBOX.somebody":                                         "admin",
		"_INBOX_n1.somebody":                                      "admin",
		"_INBOX_drover.admin.x":                                   "admin",
		"$SYS.REQ.SERVER.PING":                                    "admin", // no answer: it is another account's
		"$JS.ACK.drover-n1-data.c.1.1.1.1.1":                      "admin",
		"anything":                                                "admin",
	}
	subscribe := map[string]string{
		"drover.>":                 "anonymous",
		"drover.n1.boiler.data.*":  "anonymous",
		"drover.n1.boiler.log":     "operator",
		"_INBOX.x.*":               "anonymous",
		"_INBOX_drover.observer.>": "observer, and no operator",
		"_INBOX_drover.operator.>": "operator",
		"_INBOX_drover.admin.>":    "admin",
		"_INBOX_drover.>":          "admin",
		"_INBOX_n1.>":              "admin",
		"drover-call.>":            "admin",
		"drover-call.n1.ctl.*":     "admin",
		"*.n1.boiler.write.>":      "admin",
		"$SRV.PING":                "admin",
		"$SRV.>":                   "admin",
		"$JS.>":                    "admin",
		"$SYS.>":                   "admin", // it hears nothing: the system's account is another
		">":                        "admin",
	}
	data := t.TempDir()
	s := start(t, embedded.Config{Name: "n1", Listen: "127.0.0.1:0", Data: data})
	for i, who := range everybody() {
		t.Run(who, func(t *testing.T) {
			nc, errs := connect(t, s.URL(), login(t, data, who)...)
			for _, subject := range slices.Sorted(maps.Keys(publish)) {
				if err := nc.PublishRequest(subject, nc.NewRespInbox(), nil); err != nil {
					t.Fatal(err)
				}
				told(t, nc, errs, "publish "+subject, subject, i >= slices.Index(everybody(), publish[subject]))
			}
			for _, subject := range slices.Sorted(maps.Keys(subscribe)) {
				least, alone, only := strings.Cut(subscribe[subject], ",")
				may := i >= slices.Index(everybody(), least)
				if only && alone != "" {
					may = who == least || who == "admin"
				}
				for _, queue := range []string{"", "drover"} {
					sub, err := nc.QueueSubscribeSync(subject, queue)
					if err != nil {
						t.Fatal(err)
					}
					told(t, nc, errs, "subscribe "+subject+" "+queue, subject, may)
					if err := sub.Unsubscribe(); err != nil && may {
						t.Error(err)
					}
				}
			}
			if who == "admin" {
				if err := nc.LastError(); err != nil {
					t.Error(err)
				}
				return
			}
			if err := nc.Publish("the.last.word", nil); err != nil {
				t.Fatal(err)
			}
			told(t, nc, errs, "the last word", "the.last.word", false)
		})
	}
}

// told checks whether the server has objected to what was done with the subject before. An objection to anything else is
// one that an earlier call has missed.
func told(t *testing.T, nc *nats.Conn, errs <-chan error, what, subject string, allowed bool) {
	t.Helper()
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if allowed {
		return
	}
	select {
	case err := <-errs:
		if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), strconv.Quote(subject)) {
			t.Errorf("%s: told %v", what, err)
		}
	case <-time.After(patience):
		t.Errorf("%s: allowed", what)
	}
}

// The keys are the user's alone, stay over restarts, and are contexts that any client of NATS takes.
func TestKeys(t *testing.T) {
	data := t.TempDir()
	first := start(t, embedded.Config{Name: "n1", Listen: "127.0.0.1:0", Data: data, NoJetStream: true})
	folder := filepath.Join(data, "credentials")
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 6 {
		t.Errorf("got %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
	seed := first.Admin().Credentials.Seed
	shutdown(t, first)
	second := start(t, embedded.Config{Name: "n1", Listen: "127.0.0.1:0", Data: data, NoJetStream: true})
	if second.Admin().Credentials.Seed != seed {
		t.Error("the admin's key is another after a restart")
	}
	if second.Credentials().Seed == first.Credentials().Seed {
		t.Error("the node's key outlives its process")
	}
	text, err := os.ReadFile(filepath.Join(folder, "operator.json"))
	if err != nil {
		t.Fatal(err)
	}
	var context map[string]string
	if err := json.Unmarshal(text, &context); err != nil || context["url"] != second.URL() || context["nkey"] != filepath.Join(folder, "operator.nk") {
		t.Errorf("the context: %s, %v", text, err)
	}
}

// A key that others could read is replaced: who holds the old one gets in no more.
func TestKeyThatOthersCouldRead(t *testing.T) {
	data := t.TempDir()
	first := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: data, NoJetStream: true})
	old := first.Admin().Credentials
	shutdown(t, first)
	file := filepath.Join(data, "credentials", "admin.nk")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	var log record
	second := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: data, NoJetStream: true, Logger: log.logger()})
	if !strings.Contains(log.String(), file) || !strings.Contains(log.String(), "-rw-r--r--") {
		t.Errorf("the log does not say it:\n%s", log.String())
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := nats.Connect(second.URL(), as(t, old)...); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("the old key: %v", err)
	}
	if !strings.Contains(log.String(), "authentication error") || second.Violations() == 0 {
		t.Errorf("the refusal is not in the log:\n%s", log.String())
	}
	connect(t, second.URL(), as(t, second.Admin().Credentials)...)
}

func TestFileThatIsNoKey(t *testing.T) {
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := account.Seed()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"empty": "", "noise": "SU...", "account": string(seed)} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			if err := os.Mkdir(filepath.Join(data, "credentials"), 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(data, "credentials", "operator.nk")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := embedded.Start(embedded.Config{Listen: "127.0.0.1:0", Data: data, NoJetStream: true})
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "nkey seed") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Who is refused a thousand times is in the log ten times, and counted.
func TestRefusalsAreLoggedAndThinnedOut(t *testing.T) {
	var log record
	s := start(t, embedded.Config{Name: "n1", Listen: "127.0.0.1:0", NoJetStream: true, Logger: log.logger()})
	nc, errs := connect(t, s.URL(), nats.Name("attacker"))
	for range 1000 {
		if err := nc.Publish("drover-call.n1.boiler.write.p1.sp", nil); err != nil {
			t.Fatal(err)
		}
	}
	told(t, nc, errs, "write", "drover-call.n1.boiler.write.p1.sp", false)
	eventually(t, "all refusals are counted", func() bool { return s.Violations() >= 1000 })
	if n := strings.Count(log.String(), "client refused"); n != 10 {
		t.Errorf("%d lines:\n%s", n, log.String())
	}
	if !strings.Contains(log.String(), "drover-call.n1.boiler.write.p1.sp") || !strings.Contains(log.String(), "nkey:anonymous") || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log does not say what:\n%s", log.String())
	}
	shutdown(t, s)
	if !strings.Contains(log.String(), "count=990") {
		t.Errorf("the log does not say how many:\n%s", log.String())
	}
}
