// Package signature says who vouches for a module: ed25519 signatures (RFC 8032) of its digest.
package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// context starts what is signed, so that a signature made for something else is none of a module. The digest and a line
// feed follow.
const context = "drover module signature v1\n"

// Signature is one key's word for one module. Its JSON is what lies beside a module as FILE.wasm.sig, in a list.
type Signature struct {
	// Digest is the module's, "sha256:" and hexadecimal.
	Digest string `json:"digest"`
	// Key is the KeyID of the key that made it.
	Key string `json:"key"`
	// Value has the 64 bytes of the signature; base64 in JSON.
	Value []byte `json:"signature"`
}

// Sign signs a module by its digest.
func Sign(key ed25519.PrivateKey, digest string) (Signature, error) {
	if err := checkDigest(digest); err != nil {
		return Signature{}, fmt.Errorf("sign: %w", err)
	}
	id, err := KeyID(key.Public().(ed25519.PublicKey))
	if err != nil {
		return Signature{}, fmt.Errorf("sign: %w", err)
	}
	return Signature{Digest: digest, Key: id, Value: ed25519.Sign(key, message(digest))}, nil
}

// ErrUntrusted says that none of the signatures is of a trusted key and good.
var ErrUntrusted = errors.New("no signature of a trusted key")

// Keys are public keys by KeyID.
type Keys map[string]ed25519.PublicKey

// Add adds a key and returns its KeyID.
func (k Keys) Add(key ed25519.PublicKey) (string, error) {
	id, err := KeyID(key)
	if err != nil {
		return "", err
	}
	k[id] = key
	return id, nil
}

// Verify returns the KeyID of the first of the keys that vouches for the module. Otherwise the error is ErrUntrusted,
// and says what was wrong with the signatures that there were.
func (k Keys) Verify(digest string, signatures []Signature) (id string, err error) {
	if err := checkDigest(digest); err != nil {
		return "", fmt.Errorf("verify: %w", err)
	}
	var reasons []string
	for _, s := range signatures {
		key, trusted := k[s.Key]
		switch {
		case !trusted:
			reasons = append(reasons, fmt.Sprintf("key %s is not trusted", clip(s.Key)))
		case s.Digest != digest:
			reasons = append(reasons, fmt.Sprintf("the signature of key %s is of another module", s.Key))
		case !ed25519.Verify(key, message(digest), s.Value):
			reasons = append(reasons, fmt.Sprintf("the signature of key %s does not fit", s.Key))
		default:
			return s.Key, nil
		}
	}
	if len(reasons) == 0 {
		reasons = []string{"it is not signed"}
	}
	return "", fmt.Errorf("%w: %s", ErrUntrusted, strings.Join(reasons, ", "))
}

// KeyID names a public key: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo (RFC 5280).
func KeyID(key ed25519.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encode the public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:8]), nil
}

func message(digest string) []byte { return []byte(context + digest + "\n") }

func checkDigest(digest string) error {
	name, ok := strings.CutPrefix(digest, "sha256:")
	if raw, err := hex.DecodeString(name); !ok || err != nil || len(raw) != sha256.Size || name != strings.ToLower(name) {
		return fmt.Errorf("%q is no digest, expected sha256: and 64 hexadecimal digits", clip(digest))
	}
	return nil
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 80)], "") }
