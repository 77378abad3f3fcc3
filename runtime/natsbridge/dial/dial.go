// Package dial has how a node and its clients connect to a NATS server: who they are and how they keep at it.
package dial

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Credentials are who we are to a server. At most one way is set; the zero value is anonymous.
type Credentials struct {
	// File is a .creds file (JWT and seed).
	File string `json:"creds,omitempty"`
	// NKey is a file with the seed of an nkey.
	NKey string `json:"nkey,omitempty"`
	// Seed is the seed itself.
	Seed     string `json:"seed,omitempty"`
	Token    string `json:"token,omitempty"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	// CA, Cert and Key are PEM files for TLS, beside any of the above.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// Options returns what the credentials mean to nats.go.
func (c Credentials) Options() ([]nats.Option, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	var options []nats.Option
	switch {
	case c.File != "":
		options = append(options, nats.UserCredentials(c.File))
	case c.NKey != "":
		key, err := nats.NkeyOptionFromSeed(c.NKey)
		if err != nil {
			return nil, fmt.Errorf("read the nkey %q: %w", c.NKey, err)
		}
		options = append(options, key)
	case c.Seed != "":
		key, err := fromSeed(c.Seed)
		if err != nil {
			return nil, err
		}
		options = append(options, key)
	case c.Token != "":
		options = append(options, nats.Token(c.Token))
	case c.User != "":
		options = append(options, nats.UserInfo(c.User, c.Password))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	if c.Cert != "" {
		options = append(options, nats.ClientCert(c.Cert, c.Key))
	}
	return options, nil
}

// fromSeed logs in with an nkey that is in no file.
func fromSeed(seed string) (nats.Option, error) {
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return nil, fmt.Errorf("credentials: the seed of an nkey: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("credentials: the seed of an nkey: %w", err)
	}
	return nats.Nkey(public, pair.Sign), nil
}

func (c Credentials) validate() error {
	if c.ways() > 1 {
		return errors.New("credentials: one of creds, nkey, token and user, not several")
	}
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("credentials: cert and key go together")
	}
	return nil
}

// ways is how many ways to log in are set.
func (c Credentials) ways() int {
	ways := 0
	for _, way := range []string{c.File, c.NKey, c.Seed, c.Token, c.User} {
		if way != "" {
			ways++
		}
	}
	return ways
}

// Persistent are the options of everybody here: it reconnects for as long as it lives, and what is sent while
// disconnected fails at once instead of being sent later.
func Persistent(name, inboxPrefix string) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.CustomInboxPrefix(inboxPrefix),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1),
		nats.ReconnectWait(time.Second),
		nats.PingInterval(20 * time.Second),
	}
}
