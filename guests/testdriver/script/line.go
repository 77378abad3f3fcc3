package script

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// answerTimeout is how long a cycle waits for an answer.
const answerTimeout = time.Second

// open opens the connection of that name, of whichever kind it is.
func (s *session) open(ctx *sdk.Context, name string) (err error) {
	conn, _ := ctx.Config().Connection(name)
	switch conn.Kind {
	case driver.ConnectionKindUDP:
		s.datagrams, err = ctx.Bind(conn.Name)
		return err
	case driver.ConnectionKindListener:
		s.listener, err = ctx.Listen(conn.Name)
		return err
	}
	if s.stream, err = ctx.Open(name); err != nil {
		return err
	}
	if err := s.stream.Ready(sdk.Forever); err != nil {
		return fmt.Errorf("open connection %q: %w", name, err)
	}
	ctx.Log().Info("open", "resumed", s.stream.Resumed())
	return nil
}

// ask sends the request, where there is one, and returns the answer.
func (s *session) ask() ([]byte, error) {
	switch {
	case s.settings.Request == "":
		return nil, nil
	case s.datagrams != nil:
		if err := s.datagrams.Send([]byte(s.settings.Request)); err != nil {
			return nil, err
		}
		p, err := s.datagrams.Receive(answerTimeout)
		return p.Data, err
	case s.stream != nil:
		if _, err := io.WriteString(s.stream, s.settings.Request); err != nil {
			return nil, err
		}
		n, err := s.stream.ReadFrame(s.buf[:], answerTimeout, 20*time.Millisecond, 0)
		return s.buf[:n], err
	}
	return nil, nil
}

// serve takes the connections that have come in, and forwards what their devices have sent.
func (s *session) serve(ctx *sdk.Context, out *sdk.Batch) error {
	if s.listener == nil {
		return nil
	}
	for {
		stream, peer, err := s.listener.Accept(0)
		if errors.Is(err, sdk.ErrTimeout) {
			break
		}
		if err != nil {
			return err
		}
		ctx.Log().Info("accepted", "peer", peer, "resumed", stream.Resumed())
		s.accepted = append(s.accepted, stream)
	}
	open := s.accepted[:0]
	for _, stream := range s.accepted {
		if err := stream.SetReadDeadline(ctx.Now()); err != nil {
			return err
		}
		n, err := stream.Read(s.buf[:])
		if err != nil && !errors.Is(err, sdk.ErrTimeout) {
			_ = stream.Close() // it is gone
			continue
		}
		open = append(open, stream)
		if n > 0 {
			publishBytes(ctx, s.buf[:n], out)
		}
	}
	s.accepted = open
	return nil
}

// publishBytes adds what came in as the first point of type bytes.
func publishBytes(ctx *sdk.Context, data []byte, out *sdk.Batch) {
	for i := range ctx.Config().Points {
		if p := &ctx.Config().Points[i]; p.Scalar == driver.ScalarTypeBytes {
			out.Good(p.ID, sdk.Bytes(append([]byte(nil), data...)), time.Time{})
			return
		}
	}
}

// dial connects to an address, and waits for it.
func dial(ctx *sdk.Context, address string) error {
	s, err := ctx.DialAddress(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if err := s.Ready(sdk.Forever); err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	return s.Close()
}

// datagram sends one to an address, and waits for an answer.
func datagram(ctx *sdk.Context, address string) error {
	d, err := ctx.BindAddress(address)
	if err != nil {
		return err
	}
	if err := d.Send([]byte("ping")); err != nil {
		return fmt.Errorf("send to %s: %w", address, err)
	}
	if _, err := d.Receive(answerTimeout); err != nil {
		return fmt.Errorf("receive from %s: %w", address, err)
	}
	return d.Close()
}

// listen opens a listener by its name, and closes it.
func listen(ctx *sdk.Context, name string) error {
	l, err := ctx.Listen(name)
	if err != nil {
		return err
	}
	return l.Close()
}
