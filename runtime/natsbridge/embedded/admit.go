package embedded

import (
	"fmt"
	"slices"

	"github.com/nats-io/nats-server/v2/server"
)

// globalAccount is the name of the server's default account.
const globalAccount = "$G"

// admit lets the node in, and everybody else as the file says; without users in a file, as the roles say.
//
// The node and the command line have nkeys. Unlike a user with a password, those stand beside whatever a file has:
// users, a token, certificates that are mapped to users.
func (c *Config) admit(options *server.Options, keys *keys) error {
	switch {
	case operatorMode(options) && c.Creds == "":
		return fmt.Errorf("%s has an operator, so the node needs a user of an account: expected its credentials file in "+
			"nats.embedded.creds", c.File)
	case operatorMode(options):
		return nil
	case c.Creds != "":
		return fmt.Errorf("nats.embedded.creds is for a server in operator mode, and %s has no operator",
			orDefault(c.File, "the server"))
	}
	account, err := c.account(options)
	if err != nil {
		return err
	}
	if !secured(options) {
		c.roleUsers(keys, options)
		return nil
	}
	for _, public := range []string{keys.node.public, keys.roles[RoleAdmin].public} {
		options.Nkeys = append(options.Nkeys, &server.NkeyUser{Nkey: public, Account: account})
		if options.AuthCallout != nil {
			options.AuthCallout.AuthUsers = append(options.AuthCallout.AuthUsers, public)
		}
	}
	return nil
}

// operatorMode says whether users are known by JWTs that an operator stands for.
func operatorMode(o *server.Options) bool { return len(o.TrustedOperators)+len(o.TrustedKeys) > 0 }

// secured says whether a file has ways in of its own.
func secured(o *server.Options) bool {
	return len(o.Users)+len(o.Nkeys) > 0 || o.Username != "" || o.Authorization != "" || o.AuthCallout != nil ||
		slices.ContainsFunc(o.Accounts, func(a *server.Account) bool { return a.Name != globalAccount })
}

// account is where the node lives; nil is the server's default.
func (c *Config) account(options *server.Options) (*server.Account, error) {
	if c.Account == "" || c.Account == globalAccount {
		return nil, nil
	}
	i := slices.IndexFunc(options.Accounts, func(a *server.Account) bool { return a.Name == c.Account })
	if i < 0 {
		return nil, fmt.Errorf("nats.embedded.account: %s has no account %q", orDefault(c.File, "the server"), c.Account)
	}
	return options.Accounts[i], nil
}
