package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// The PEM blocks of the keys: PKCS #8 (RFC 5958) and SubjectPublicKeyInfo (RFC 5280) with the algorithm of RFC 8410, as
// `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// GenerateKey makes a pair of keys and returns both as PEM.
func GenerateKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate a key: %w", err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the private key: %w", err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the public key: %w", err)
	}
	private = pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: privateDER})
	return private, pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: publicDER}), nil
}

// ParsePrivateKey reads an ed25519 private key from PEM.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	der, err := block(text, privateBlock)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	if key, ok := key.(ed25519.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("read the private key: it is %T, expected ed25519", key)
}

// ParsePublicKey reads an ed25519 public key from PEM.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) {
	der, err := block(text, publicBlock)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	if key, ok := key.(ed25519.PublicKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("read the public key: it is %T, expected ed25519", key)
}

func block(text []byte, kind string) ([]byte, error) {
	b, _ := pem.Decode(text)
	if b == nil {
		return nil, errors.New("expected a PEM block " + kind + ", found none")
	}
	if b.Type != kind {
		return nil, fmt.Errorf("expected a PEM block %s, found %s", kind, b.Type)
	}
	return b.Bytes, nil
}
