package node

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

// examplesOf returns the code of docs/deployment.md in one language.
func examplesOf(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		examples = append(examples, m[1]+"\n")
	}
	return examples
}

// The examples of the documentation are configurations, and mean what stands beside them.
func TestDocumentedConfigurations(t *testing.T) {
	var got []string
	for _, text := range examplesOf(t, "yaml") {
		c, err := config.Parse("drover.yaml", []byte(text))
		if err != nil {
			t.Errorf("%v in\n%s", err, text)
			continue
		}
		kind := "client"
		if e := c.NATS.Embedded; e != nil {
			kind = "embedded " + filepath.Base(e.Config) + " " + e.Account
		}
		got = append(got, strings.TrimSpace(kind+" "+string(c.NATS.Commands)))
	}
	want := []string{"embedded .", "embedded nats-server.conf PLANT", "embedded nats-server.conf", "client", "client all"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The nats-server configurations of the documentation run, with this machine's addresses in the place of theirs.
func TestDocumentedServers(t *testing.T) {
	confs := examplesOf(t, "conf")
	if len(confs) != 3 {
		t.Fatalf("%d examples", len(confs))
	}
	here := strings.NewReplacer(
		"0.0.0.0:4222", "127.0.0.1:-1", "0.0.0.0:8080", "127.0.0.1:-1",
		"hub-1:7422", "127.0.0.1:1", "hub-2:7422", "127.0.0.1:1", "hub-3:7422", "127.0.0.1:1",
		`, credentials: "/etc/drover/plant-1.creds"`, "",
	)
	for i, account := range []string{"PLANT", "", ""} {
		dir := t.TempDir()
		file := filepath.Join(dir, "nats-server.conf")
		text := here.Replace(confs[i])
		if !strings.Contains(text, "listen:") {
			text = "listen: \"127.0.0.1:-1\"\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := &config.Node{Name: "plant-1", Data: dir}
		c.NATS.Embedded = &config.Embedded{Config: file, Account: account, JetStream: true}
		if problems := CheckNATS(c); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
		s, err := embedded.Start(serverConfig(Config{Node: c, Logger: slog.New(slog.DiscardHandler)}))
		if err != nil {
			t.Errorf("%v in\n%s", err, text)
			continue
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// What is wrong with a nats-server configuration is a problem of the configuration, at its own line.
func TestCheckNATS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nats-server.conf")
	if err := os.WriteFile(file, []byte("port: 4222\nmax_conections: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &config.Node{File: "drover.yaml", Name: "n", Data: t.TempDir()}
	c.NATS.Embedded = &config.Embedded{Config: file}
	problems := CheckNATS(c)
	if len(problems) != 1 || problems[0].File != file || problems[0].Line != 2 || !strings.Contains(problems[0].Message, "max_conections") {
		t.Errorf("got %v", problems)
	}
	if err := os.WriteFile(file, []byte("port: 4222\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.NATS.Embedded.Account = "PLANT"
	problems = CheckNATS(c)
	if len(problems) != 1 || problems[0].Path != "nats.embedded.config" || !strings.Contains(problems[0].Message, `no account "PLANT"`) {
		t.Errorf("got %v", problems)
	}
	c.NATS.Embedded = nil
	if problems := CheckNATS(c); problems != nil {
		t.Errorf("got %v", problems)
	}
}

// A context has what the configuration leaves open, and its credentials count as a whole.
func TestRemote(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.json")
	if err := os.WriteFile(file, []byte(`{"url":"nats://hub","user":"u","password":"p","ca":"/ca.pem"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	url, c, err := Server(&config.Remote{Context: file})
	if err != nil || url != "nats://hub" || c.User != "u" || c.Password != "p" || c.CA != "/ca.pem" {
		t.Errorf("%s, %+v, %v", url, c, err)
	}
	url, c, err = Server(&config.Remote{Context: file, URL: "nats://other", Token: "t", TLS: &config.TLS{CA: "/other.pem"}})
	if err != nil || url != "nats://other" || c.User != "" || c.Token != "t" || c.CA != "/other.pem" {
		t.Errorf("%s, %+v, %v", url, c, err)
	}
	for _, text := range []string{`{"user":"u"}`, `{`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Server(&config.Remote{Context: file}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
