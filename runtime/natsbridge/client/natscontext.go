package client

import "github.com/droverhq/drover/runtime/natsbridge/dial"

// fromContext fills in what is empty from the context.
func (o *Options) fromContext() error {
	c, err := dial.ReadContext(o.Context)
	if err != nil {
		return err
	}
	o.URL = orDefault(o.URL, c.URL)
	o.InboxPrefix = orDefault(o.InboxPrefix, c.InboxPrefix)
	c.Fill(&o.Credentials)
	return nil
}
