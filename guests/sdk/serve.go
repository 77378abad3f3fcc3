package sdk

import (
	"slices"

	"github.com/droverhq/drover/abi/driver"
)

// ServeCommands does the commands that wait, by Loop.Command, and returns its error, which is to end the poll. It is
// for a Loop.Poll that does many requests: called between two of them, a command waits for at most one. It asks the
// host once, does at most 16 commands, and nothing outside a Loop.
func (c *Context) ServeCommands() error {
	if c.serve == nil || c.serving {
		return nil
	}
	c.look()
	for range maxCommands {
		cmd := c.nextCommand()
		if cmd == nil {
			return nil
		}
		if err := c.serve(cmd); err != nil {
			return err
		}
	}
	return nil
}

// nextCommand takes the first command off the events that are kept.
func (c *Context) nextCommand() *Command {
	i := slices.IndexFunc(c.events, func(e Event) bool { return e.Kind == driver.EventTagCommand })
	if i < 0 || c.stopping {
		return nil
	}
	cmd := c.events[i].Command
	c.events = slices.Delete(c.events, i, i+1)
	cmd.begun = true
	return cmd
}
