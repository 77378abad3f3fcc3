package signature

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
)

const (
	digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	other  = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
)

func pair(t *testing.T) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	private, public, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	priv, err := ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ParsePublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if !pub.Equal(priv.Public()) {
		t.Fatal("the keys are not of one pair")
	}
	return priv, pub
}

func TestVerify(t *testing.T) {
	ours, public := pair(t)
	theirs, _ := pair(t)
	keys := Keys{}
	id, err := keys.Add(public)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key ed25519.PrivateKey, digest string) Signature {
		s, err := Sign(key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good, foreign, moved := sign(ours, digest), sign(theirs, digest), sign(ours, other)
	renamed := moved
	renamed.Digest = digest
	spoilt := good
	spoilt.Value = bytes.Clone(good.Value)
	spoilt.Value[7] ^= 1
	claimed := foreign
	claimed.Key = id
	for name, tt := range map[string]struct {
		signatures []Signature
		reason     string // empty: it is trusted
	}{
		"good":                       {[]Signature{good}, ""},
		"good beside others":         {[]Signature{foreign, spoilt, good}, ""},
		"none":                       {nil, "it is not signed"},
		"of another key":             {[]Signature{foreign}, "is not trusted"},
		"of another key, under ours": {[]Signature{claimed}, "does not fit"},
		"of another module":          {[]Signature{moved}, "is of another module"},
		"of another module, renamed": {[]Signature{renamed}, "does not fit"},
		"spoilt":                     {[]Signature{spoilt}, "does not fit"},
		"cut":                        {[]Signature{{Digest: digest, Key: id, Value: good.Value[:10]}}, "does not fit"},
		"empty":                      {[]Signature{{}}, "is not trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := keys.Verify(digest, tt.signatures)
			if tt.reason == "" {
				if err != nil || got != id {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if !errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), tt.reason) || got != "" {
				t.Errorf("got %q, %v; want %q", got, err, tt.reason)
			}
		})
	}
}

func TestDigests(t *testing.T) {
	key, _ := pair(t)
	for _, bad := range []string{"", "sha256:", digest[7:], "sha256:" + strings.ToUpper(digest[7:]), digest + "00", "md5:00"} {
		if _, err := Sign(key, bad); err == nil {
			t.Errorf("signed %q", bad)
		}
		if _, err := (Keys{}).Verify(bad, nil); err == nil || errors.Is(err, ErrUntrusted) {
			t.Errorf("verified %q: %v", bad, err)
		}
	}
}

// RFC 8410, section 10: the example keys, as every tool writes them.
const (
	rfcPrivate = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
	rfcPublic  = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
)

func TestStandardKeys(t *testing.T) {
	private, err := ParsePrivateKey([]byte(rfcPrivate))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey([]byte(rfcPublic))
	if err != nil || !public.Equal(private.Public()) {
		t.Fatalf("%v, %v", public, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "hello", "the other one": rfcPublic,
		"no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := ParsePrivateKey([]byte(text)); err == nil {
			t.Errorf("%s is a private key", name)
		}
	}
	if _, err := ParsePublicKey([]byte(rfcPrivate)); err == nil {
		t.Error("a private key is a public one")
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(rfcPrivate))
	f.Add([]byte(rfcPublic))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := ParsePrivateKey(text); err == nil && len(key) != ed25519.PrivateKeySize {
			t.Errorf("a key of %d bytes", len(key))
		}
		if key, err := ParsePublicKey(text); err == nil && len(key) != ed25519.PublicKeySize {
			t.Errorf("a key of %d bytes", len(key))
		}
	})
}
