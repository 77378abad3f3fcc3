package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
)

// key is an nkey of a user: the server knows the public half only, and nothing secret travels when a client logs in.
type key struct{ seed, public string }

// keys are the node's, which exists in this process only, that of clients who have none, and those of the roles.
type keys struct {
	node, anonymous key

	roles map[Role]key
	// folder has the files of the roles; empty when they could not be kept.
	folder string
}

// keysFolder is where the roles' keys are, below the data directory: ROLE.nk is the seed, ROLE.json a NATS context.
const keysFolder = "credentials"

// newKeys returns keys that are in no file.
func newKeys() (*keys, error) {
	k := &keys{roles: make(map[Role]key, len(Roles()))}
	var err error
	if k.node, err = newKey(); err != nil {
		return nil, err
	}
	if k.anonymous, err = newKey(); err != nil {
		return nil, err
	}
	for _, role := range Roles() {
		if k.roles[role], err = newKey(); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func newKey() (key, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return key{}, fmt.Errorf("make an nkey: %w", err)
	}
	return keyOf(pair)
}

func keyOf(pair nkeys.KeyPair) (key, error) {
	seed, errSeed := pair.Seed()
	public, errPublic := pair.PublicKey()
	if err := errors.Join(errSeed, errPublic); err != nil {
		return key{}, fmt.Errorf("make an nkey: %w", err)
	}
	if !nkeys.IsValidPublicUserKey(public) {
		return key{}, errors.New("it is no nkey of a user")
	}
	return key{seed: string(seed), public: public}, nil
}

// keys returns the keys kept in the data directory; those that are missing are made. A directory that cannot be written
// costs the keeping, not the start.
func (c *Config) keys(log *slog.Logger) (*keys, error) {
	k, err := newKeys()
	if err != nil || c.Data == "" {
		return k, err
	}
	folder := filepath.Join(c.Data, keysFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		log.Warn("the roles' keys are not kept", "error", err)
		return k, nil
	}
	for _, role := range Roles() {
		kept, err := keep(filepath.Join(folder, string(role)+".nk"), k.roles[role], log)
		switch {
		case errors.Is(err, errNoKey):
			return nil, err
		case err != nil:
			log.Warn("a role's key is not kept", "role", role, "error", err)
		default:
			k.roles[role] = kept
		}
	}
	k.folder = folder
	return k, nil
}

// names replaces public keys by whose they are.
func (k *keys) names() *strings.Replacer {
	pairs := []string{k.node.public, "node", k.anonymous.public, "anonymous"}
	for role, key := range k.roles {
		pairs = append(pairs, key.public, string(role))
	}
	return strings.NewReplacer(pairs...)
}

// errNoKey means that a key's file has something else.
var errNoKey = errors.New("no nkey seed of a user, expected one alone in the file (a new one is made where there is no file)")

// keep returns the key in the file. Where there is none, or where others could have read it, that is fresh from now on.
func keep(path string, fresh key, log *slog.Logger) (key, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fresh, write(path, []byte(fresh.seed+"\n"))
	case err != nil:
		return key{}, err
	case !private(info):
		log.Warn("others could read a role's key: it is replaced", "file", path, "mode", info.Mode().String())
		return fresh, write(path, []byte(fresh.seed+"\n"))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key{}, err
	}
	pair, err := nkeys.FromSeed(bytes.TrimSpace(text))
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", path, errNoKey)
	}
	kept, err := keyOf(pair)
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", path, errNoKey)
	}
	return kept, nil
}

// write replaces a file by one of mode 0600, so that nobody reads half of it.
func write(path string, text []byte) error {
	beside, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name()) //nolint:errcheck // it is gone when all went well
	_, err = beside.Write(text)
	if err := errors.Join(err, beside.Close()); err != nil {
		return err
	}
	return os.Rename(beside.Name(), path)
}

// access is how a role's clients get in.
func (k *keys) access(role Role) Access {
	return Access{Credentials: dial.Credentials{Seed: k.roles[role].seed}, InboxPrefix: role.InboxPrefix()}
}

// announce leaves each role's NATS context (ADR-21) beside its key, for `--context` of any client. ca is the file that
// makes them trust the server, or empty.
func (k *keys) announce(url, ca string, log *slog.Logger) {
	if k.folder == "" {
		return
	}
	for _, role := range Roles() {
		file := filepath.Join(k.folder, string(role))
		context := map[string]string{
			"description":  "Drover, role " + string(role),
			"url":          url,
			"nkey":         file + ".nk",
			"inbox_prefix": role.InboxPrefix(),
		}
		if ca != "" {
			context["ca"] = ca
		}
		text, err := json.MarshalIndent(context, "", "  ")
		if err == nil {
			err = write(file+".json", append(text, '\n'))
		}
		if err != nil {
			log.Warn("a role's NATS context is not kept", "role", role, "error", err)
		}
	}
}
