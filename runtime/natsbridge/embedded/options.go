package embedded

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	defaultMaxMemory = 64 << 20
	defaultMaxStore  = 1 << 30
	defaultSync      = 10 * time.Second
)

// Check says what would keep Start from starting the server that c describes, without starting it. It is Problems where
// the configuration file is the reason.
func Check(c Config) error {
	keys, err := newKeys()
	if err == nil {
		_, err = c.options(keys)
	}
	return err
}

// options are what the file says, with ours below it, and the node's way in.
func (c *Config) options(keys *keys) (*server.Options, error) {
	options, given, err := c.read()
	if err != nil {
		return nil, err
	}
	if err := c.listen(options); err != nil {
		return nil, err
	}
	options.NoSigs = true
	options.ServerName = orDefault(options.ServerName, c.name())
	options.PingInterval = orNumber(options.PingInterval, 20*time.Second)
	if options.MaxPayload == 0 {
		options.MaxPayload = 1 << 20
	}
	if !c.NoJetStream && !given["jetstream"] {
		options.JetStream = true
	}
	if err := c.jetStream(options); err != nil {
		return nil, err
	}
	if err := c.admit(options, keys); err != nil {
		return nil, err
	}
	c.closeLeaves(options)
	return options, nil
}

// listen takes the address from the file or from Listen, not from both.
func (c *Config) listen(options *server.Options) error {
	switch {
	case options.Port == 0 && options.Host == "":
		host, port, err := splitListen(orDefault(c.Listen, DefaultListen))
		options.Host, options.Port = host, port
		return err
	case c.Listen != "":
		return fmt.Errorf("%s names an address to listen on, and so does nats.embedded.listen (%s): expected one of them",
			c.File, c.Listen)
	case options.Host == "":
		options.Host = "127.0.0.1"
	}
	return nil
}

// jetStream keeps JetStream's files below the data directory, and within limits.
func (c *Config) jetStream(options *server.Options) error {
	if c.NoJetStream && c.File == "" || !options.JetStream {
		options.JetStream = false
		return nil
	}
	if options.StoreDir == "" {
		if c.Data == "" {
			return errors.New("JetStream needs the data directory")
		}
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return fmt.Errorf("%w: make the data directory: %w", errJetStream, err)
		}
		options.StoreDir = filepath.Clean(c.Data) // the server adds jetstream/
	}
	options.JetStreamMaxMemory = orNumber(options.JetStreamMaxMemory, orNumber(c.MaxMemory, defaultMaxMemory))
	options.JetStreamMaxStore = orNumber(options.JetStreamMaxStore, orNumber(c.MaxStore, defaultMaxStore))
	options.SyncInterval = orNumber(options.SyncInterval, orNumber(c.SyncInterval, defaultSync))
	options.SyncAlways = options.SyncAlways || c.SyncAlways
	return nil
}

func splitListen(listen string) (string, int, error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen %q: host:port is expected", listen)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("listen %q: the port is 1 to 65535, or 0 for a free one", listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}
