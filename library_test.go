//go:build linux || darwin

package drover_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// library has channels whose drivers come later: as a file, into the bucket, with a signature. Others run all the time.
func (r *rig) library(t *testing.T) {
	guest, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	digest := store.Digest(guest)
	sign, public := newKey(t)
	r.write(t, "release.pub", public)
	r.write(t, "signed.wasm", guest)
	if err := signature.AddFile(filepath.Join(r.dir, "signed.wasm"), sign(digest)); err != nil {
		t.Fatal(err)
	}
	url, user, password := startServerWith(t, embedded.Config{Data: t.TempDir()})
	c := r.config(t, remote(url, user, password), fmt.Sprintf(`
  steady: {driver: signed.wasm, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}
  unsigned: {driver: unsigned.wasm}
  file: {driver: late.wasm}
  named: {driver: testdriver@0.1.0}
  pinned: {driver: %q}
trust: [release.pub]
`, store.Digest([]byte("none"))))
	r.write(t, "unsigned.wasm", append(guest, 0, 1, 0)) // an empty custom section
	e := listen(t, url, "drover.n1.*.state")
	start(t, c)
	connected := func(channel string) {
		t.Helper()
		e.next(t, channel+" runs", func(h heard) bool {
			return h.subject == "drover.n1."+channel+".state" && h.State == "connected"
		})
	}
	begun := map[string]bool{ // in any order
		"unsigned failed grant.denied": true, "file failed io.not-found": true, "named failed io.not-found": true,
		"pinned failed io.not-found": true, "steady connected ": true,
	}
	for len(begun) > 0 {
		e.next(t, fmt.Sprint(begun), func(h heard) bool {
			was := strings.TrimSuffix(strings.TrimPrefix(h.subject, "drover.n1."), ".state") + " " + h.State + " " + h.Reason
			defer delete(begun, was)
			return begun[was]
		})
	}

	admin := connect(t, url, nats.UserInfo(user, password))
	restart := func(channel, status string) {
		t.Helper()
		m, err := admin.Request("drover-call.n1.ctl.restart", fmt.Appendf(nil, `{"channel":%q}`, channel), patience)
		for deadline := time.Now().Add(patience); err == nil && m.Header.Get("Nats-Service-Error-Code") == "409" && time.Now().Before(deadline); {
			m, err = admin.Request("drover-call.n1.ctl.restart", fmt.Appendf(nil, `{"channel":%q}`, channel), patience)
		}
		if err != nil || m.Header.Get("Nats-Service-Error-Code") != status {
			t.Errorf("restart %s: %v, %v, want %s", channel, m, err, status)
		}
	}
	restart("file", "503")
	restart("unsigned", "403")
	for _, file := range []string{"wasm", "wasm.sig"} {
		if err := os.Rename(filepath.Join(r.dir, "signed."+file), filepath.Join(r.dir, "late."+file)); err != nil {
			t.Fatal(err)
		}
	}
	restart("file", "")
	connected("file")

	b, err := modules.Open(t.Context(), admin, modules.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	entry := store.Entry{
		Digest: digest, Name: "testdriver", Version: "0.1.0", Size: int64(len(guest)),
		Signatures: []signature.Signature{sign(digest)},
	}
	if _, err := b.Put(t.Context(), entry, guest); err != nil {
		t.Fatal(err)
	}
	connected("named") // nobody has to say so

	var ps message.Processes
	ask(t, e.conn, "drover-call.n1.get.ps", "", &ps)
	for _, p := range ps.Channels {
		if running := p.Digest == digest; running != (p.State.State == "connected") {
			t.Errorf("%s: %s with %q", p.Channel, p.State.State, p.Digest)
		}
	}
}

// newKey is a key: what it says of a module, and its public half.
func newKey(t *testing.T) (sign func(digest string) signature.Signature, public []byte) {
	t.Helper()
	private, public, err := signature.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := signature.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return func(digest string) signature.Signature {
		s, err := signature.Sign(key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, public
}
