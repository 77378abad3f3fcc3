package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/dial"
)

// login are the flags that say who we are to a NATS server. Their names are those of the nats command.
type login struct {
	dial.Credentials
	inboxPrefix string
}

// AddFlags adds the flags to a set.
func (l *login) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&l.File, "creds", "", "`file` with NATS credentials (also NATS_CREDS)")
	f.StringVar(&l.NKey, "nkey", "", "`file` with the seed of an nkey (also NATS_NKEY)")
	f.StringVar(&l.User, "user", "", "NATS `user` (also NATS_USER)")
	f.StringVar(&l.Password, "password", "", "its `password` (also NATS_PASSWORD)")
	f.StringVar(&l.Token, "token", "", "NATS `token` (also NATS_TOKEN)")
	f.StringVar(&l.CA, "tlsca", "", "`file` with the authorities of the server's certificate (also NATS_CA)")
	f.StringVar(&l.Cert, "tlscert", "", "`file` with our certificate (also NATS_CERT)")
	f.StringVar(&l.Key, "tlskey", "", "`file` with its private key (also NATS_KEY)")
	f.StringVar(&l.inboxPrefix, "inbox-prefix", "", "`prefix` of the subjects on which answers come")
}

// fill puts what was given over what is known of the server already: who we are as a whole, the parts of TLS one by one.
func (l login) fill(o client.Options) client.Options {
	if (dial.Credentials{File: l.File, NKey: l.NKey, User: l.User, Password: l.Password, Token: l.Token}) != (dial.Credentials{}) {
		o.Credentials = dial.Credentials{
			File: l.File, NKey: l.NKey, User: l.User, Password: l.Password, Token: l.Token,
			CA: o.Credentials.CA, Cert: o.Credentials.Cert, Key: o.Credentials.Key,
		}
		o.InboxPrefix = ""
	}
	if l.CA != "" {
		o.Credentials.CA = l.CA
	}
	if l.Cert != "" || l.Key != "" {
		o.Credentials.Cert, o.Credentials.Key = l.Cert, l.Key
	}
	if l.inboxPrefix != "" {
		o.InboxPrefix = l.inboxPrefix
	}
	return o
}

// environment are what the nats command takes from there as well, for servers that are named. A flag comes first.
func environment() client.Options {
	return client.Options{Credentials: dial.Credentials{
		File: os.Getenv("NATS_CREDS"), NKey: os.Getenv("NATS_NKEY"),
		User: os.Getenv("NATS_USER"), Password: os.Getenv("NATS_PASSWORD"), Token: os.Getenv("NATS_TOKEN"),
		CA: os.Getenv("NATS_CA"), Cert: os.Getenv("NATS_CERT"), Key: os.Getenv("NATS_KEY"),
	}}
}
