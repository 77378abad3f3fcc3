package script

import (
	"bytes"
	"errors"

	"github.com/droverhq/drover/guests/sdk"
)

// obey does what comes in: a Behaviour a line. It needs no command, so that a device can tell it while nobody calls.
func (s *session) obey(ctx *sdk.Context, stream *sdk.Stream, _ *sdk.Batch) error {
	n, err := stream.Read(s.buf[:])
	if err != nil {
		return err
	}
	if s.orders = append(s.orders, s.buf[:n]...); len(s.orders) > len(s.buf) {
		return errors.New("an order is too long")
	}
	for {
		order, rest, whole := bytes.Cut(s.orders, []byte("\n"))
		if !whole {
			return nil
		}
		s.orders = rest
		behave, err := Behaviour(order).parse()
		if err != nil {
			return err
		}
		if err := behave(ctx, stream); err != nil {
			return err
		}
	}
}
