package dial

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Context is what a NATS context has for us (ADR-21).
type Context struct {
	URL         string `json:"url"`
	Token       string `json:"token"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Creds       string `json:"creds"`
	NKey        string `json:"nkey"`
	Cert        string `json:"cert"`
	Key         string `json:"key"`
	CA          string `json:"ca"`
	InboxPrefix string `json:"inbox_prefix"`
}

// ReadContext reads a NATS context: name is that of one of the user's, or the path of a file when it has a separator.
func ReadContext(name string) (Context, error) {
	var c Context
	path, err := contextPath(name)
	if err != nil {
		return c, fmt.Errorf("NATS context %q: %w", name, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("NATS context %q: %w", name, err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("NATS context %q: read %s: %w", name, path, err)
	}
	return c, nil
}

// Fill fills in what of the credentials is empty: who we are as a whole, the parts of TLS one by one.
func (c Context) Fill(to *Credentials) {
	if to.ways() == 0 {
		to.File, to.NKey, to.Token, to.User, to.Password = home(c.Creds), home(c.NKey), c.Token, c.User, c.Password
	}
	if to.CA == "" {
		to.CA = home(c.CA)
	}
	if to.Cert == "" {
		to.Cert, to.Key = home(c.Cert), home(c.Key)
	}
}

// contextPath returns the context's file: name is its path when it has a separator.
func contextPath(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	if name == "." || name == ".." {
		return "", errors.New("no name for a context")
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		dir, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		config = filepath.Join(dir, ".config")
	}
	return filepath.Join(config, "nats", "context", name+".json"), nil
}

// home expands a leading "~/", as the nats command does.
func home(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(dir, rest)
}
