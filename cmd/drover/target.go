package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// commandOptions are the flags of read, write and invoke.
type commandOptions struct {
	timeout time.Duration
	key     string
}

// AddFlags adds the flags to a set; keyed adds --key.
func (o *commandOptions) AddFlags(f *pflag.FlagSet, keyed bool) {
	f.DurationVar(&o.timeout, "timeout", 0, "how long the node has, as `time`; what is not sent by then never is (default 5s)")
	if keyed {
		f.StringVar(&o.key, "key", "", "a `name` under which this is done once within 10 minutes, however often it is repeated")
	}
}

// client returns what the flags mean.
func (o *commandOptions) client() (client.CommandOptions, error) {
	if o.timeout < 0 {
		return client.CommandOptions{}, usagef("--timeout %s is no time to wait", o.timeout)
	}
	if o.key != "" && !message.ValidName(o.key) {
		return client.CommandOptions{}, usagef("--key %q: [A-Za-z0-9_-]+ is expected", o.key)
	}
	return client.CommandOptions{Timeout: o.timeout, Key: o.key, Caller: caller()}, nil
}

// caller is who the events of commands say they come from.
func caller() string {
	name := cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"))
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host + " (drover)"
}

// parsePoint reads CHANNEL and DEVICE[.NAME]. what names the second part.
func parsePoint(channel, text, what string) (client.Target, error) {
	device, name, has := strings.Cut(text, ".")
	if !message.ValidChannel(channel) || !message.ValidName(device) || has && !message.ValidName(name) {
		return client.Target{}, usagef("%q %q is not CHANNEL DEVICE.%s", channel, text, what)
	}
	return client.Target{Channel: channel, Device: device, Name: name}, nil
}

// negatives keeps negative numbers from being taken for flags, of which none is a digit: JSON may have a space before it.
func negatives(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "-") && json.Valid([]byte(arg)) {
			args[i] = " " + arg
		}
	}
	return args
}

// parseValue takes JSON as it is, and anything else as text.
func parseValue(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(strings.TrimSpace(text))
	}
	quoted, _ := json.Marshal(text) // a string always has a form in JSON
	return quoted
}

// commandFailed gives errors of commands their exit codes.
func commandFailed(err error) error {
	if errors.Is(err, client.ErrNoAnswer) {
		return coded(exitUnreachable, err)
	}
	return unreachable(err)
}
