package config

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/droverhq/drover/runtime/store/signature"
)

// TestTrust has a key in a file and one in the configuration itself. The file is one of the configuration's.
func TestTrust(t *testing.T) {
	dir := t.TempDir()
	_, public, err := signature.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ops.pub")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := Parse(filepath.Join(dir, "drover.yaml"), []byte(`node: plant-1
trust:
  - ops.pub
  - |
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    -----END PUBLIC KEY-----
channels: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	want, err := signature.ParsePublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	id, err := signature.KeyID(want)
	if err != nil {
		t.Fatal(err)
	}
	// The name of RFC 8410's key, by openssl and sha256sum.
	other, ok := n.Trust["a1e9156054e04fac"]
	if len(n.Trust) != 2 || !n.Trust[id].Equal(want) || !ok || len(other) != ed25519.PublicKeySize {
		t.Errorf("trusted are %v", n.Trust)
	}
	if !slices.Contains(n.Files, file) {
		t.Errorf("the files are %q", n.Files)
	}
}

// TestDrivers tells files from modules of the store.
func TestDrivers(t *testing.T) {
	const digest = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
	for text, want := range map[string]struct {
		driver string
		stored bool
	}{
		"modbus.wasm":       {"/etc/drover/modbus.wasm", false},
		"./modbus@1.3.0":    {"/etc/drover/modbus@1.3.0", false},
		"modbus@1.3.0.wasm": {"/etc/drover/modbus@1.3.0.wasm", false},
		"/opt/modbus":       {"/opt/modbus", false},
		"modbus@1.3.0":      {"modbus@1.3.0", true},
		"modbus@1.3.0-rc.1": {"modbus@1.3.0-rc.1", true},
		digest:              {digest, true},
	} {
		n, err := Parse("/etc/drover/drover.yaml", []byte("node: n1\nchannels: {a: {driver: \""+text+"\"}}\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c := n.Channels[0]; c.Driver != want.driver || c.FromStore() != want.stored {
			t.Errorf("%s: got %q, from the store: %t", text, c.Driver, c.FromStore())
		}
	}
}
