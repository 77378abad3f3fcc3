package client

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/link"
	"github.com/droverhq/drover/guests/sdk"
)

// Connect implements sdk.Connector: it opens the connection and waits until it is open. Ready means no more than that:
// whether a unit answers is said by the state of its device.
func (c *setup) Connect(ctx *sdk.Context) (sdk.Session, error) {
	stream, err := ctx.Open(c.connection.Name)
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx, stream); err != nil {
		_ = stream.Close() // the first error is the one that tells
		return nil, err
	}
	s := &c.session
	*s = session{setup: c, ctx: ctx}
	last := s.load()
	l, err := c.newLink(ctx, stream, last)
	if err != nil {
		_ = stream.Close() // the first error is the one that tells
		return nil, err
	}
	s.bus = bus{ctx: ctx, link: l, pause: time.Duration(c.settings.Pause)}
	if c.connection.Kind == driver.ConnectionKindTCP {
		s.bus.limit = c.settings.CloseAfterTimeouts
	}
	return s, nil
}

// wait waits until the stream is open, and a new one for the pause after that.
func (c *setup) wait(ctx *sdk.Context, stream *sdk.Stream) error {
	if err := stream.Ready(sdk.Forever); err != nil {
		return fmt.Errorf("open connection %q: %w", c.connection.Name, err)
	}
	if stream.Resumed() {
		return nil
	}
	if err := ctx.Sleep(time.Duration(c.settings.ConnectPause)); err != nil {
		return fmt.Errorf("pause after connect: %w", err)
	}
	return nil
}

// newLink returns the link of the mode. last is the transaction that a session before ended with.
func (c *setup) newLink(ctx *sdk.Context, stream *sdk.Stream, last uint16) (link.Link, error) {
	turnaround := time.Duration(c.settings.Turnaround)
	switch c.settings.Mode {
	case modeTCP:
		return link.NewTCP(stream, ctx.Now, last), nil
	case modeRTUOverTCP:
		return link.NewRTU(stream, ctx.Now, link.Line{Streamed: true, Turnaround: turnaround}), nil
	}
	mode, err := stream.Mode()
	if err != nil {
		return nil, fmt.Errorf("mode of port %q: %w", c.connection.Name, err)
	}
	line := link.Line{Baud: mode.Baud, Silence: time.Duration(c.settings.Silence), Turnaround: turnaround}
	return link.NewRTU(stream, ctx.Now, line), nil
}
