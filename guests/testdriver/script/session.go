package script

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

type session struct {
	*connector
	// stream, datagrams and listener: at most one of them is the connection.
	stream    *sdk.Stream
	datagrams *sdk.Datagrams
	listener  *sdk.Listener
	accepted  []*sdk.Stream
	counter   uint64 // goes on over attempts where the settings say so
	cycle     uint64 // of this run
	written   map[sdk.PointID]sdk.Value
	leaked    [][]byte
	late      []lateAnswer
	orders    []byte // that came in and are no whole line yet
	buf       [4096]byte
}

// Init implements sdk.Session.
func (s *session) Init(ctx *sdk.Context) (sdk.Handle, error) {
	if blob, ok := ctx.LoadState(); ok && s.settings.Keep && len(blob) == 8 {
		s.counter = binary.BigEndian.Uint64(blob)
	}
	if s.settings.Publish == "wrong-phase" {
		if _, err := ctx.Publish([]sdk.Sample{}); err != nil {
			return sdk.Handle{}, err
		}
	}
	if s.scripted(ctx) {
		if err := s.init(ctx, s.stream); err != nil {
			return sdk.Handle{}, err
		}
	}
	h := ctx.Config().Serve(actions(ctx.Config())...)
	switch s.settings.Handle {
	case "unknown-point":
		h.Points = append(h.Points, 1<<20)
	case "twice":
		h.Points = append(h.Points, h.Points...)
	case "bad-action":
		h.Actions = append(h.Actions, sdk.Action{Name: "no/action"})
	}
	return h, nil
}

// Run implements sdk.Session.
func (s *session) Run(ctx *sdk.Context) (sdk.Outcome, error) {
	s.talk(ctx)
	s.tell(ctx)
	for i := range s.settings.Reconnects {
		ctx.Log().Info("reconnect requested", "taken", ctx.RequestReconnect(fmt.Sprint("scripted ", i+1)))
	}
	outcome, err := s.drive(ctx)
	if e, ok := errors.AsType[*outcomeError](err); ok {
		return e.outcome, nil
	}
	return outcome, err
}

func (s *session) drive(ctx *sdk.Context) (sdk.Outcome, error) {
	if err := s.act(ctx); err != nil {
		return sdk.Outcome{}, err
	}
	loop := &sdk.Loop{
		Scheduler: sdk.NewScheduler(ctx.Config().Points, ctx.Now()),
		Poll:      s.poll,
		Command:   s.command,
		Yield:     s.yield,
	}
	if s.stream != nil && (s.settings.Forward || s.settings.Obey) {
		loop.Streams, loop.Readable = []*sdk.Stream{s.stream}, s.forward
		if s.settings.Obey {
			loop.Readable = s.obey
		}
	}
	outcome, err := loop.Run(ctx)
	if err == nil {
		s.linger(ctx)
	}
	return outcome, err
}

// linger stays in run for as long as the script ignores that it is to end.
func (s *session) linger(ctx *sdk.Context) {
	ctx.Hold()
	defer ctx.Release()
	for s.ignores(ctx) {
		_ = ctx.Sleep(10 * time.Millisecond) // a stop that is ignored is no reason to leave
	}
}

// ignores says whether the script goes on although the host wants the run to end.
func (s *session) ignores(ctx *sdk.Context) bool {
	if ctx.Stopping() {
		return s.settings.IgnoreStop
	}
	return s.settings.IgnoreYield && ctx.Yielding()
}

// talk writes what the script says at the start.
func (s *session) talk(ctx *sdk.Context) {
	for _, l := range s.settings.Log {
		level, message, _ := strings.Cut(l, " ")
		switch level {
		case "debug":
			ctx.Log().Debug(message, "attempt", ctx.Attempt())
		case "warn":
			ctx.Log().Warn(message, "attempt", ctx.Attempt())
		case "error":
			ctx.Log().Error(message, "attempt", ctx.Attempt())
		default:
			ctx.Log().Info(message, "attempt", ctx.Attempt())
		}
	}
	write(os.Stdout, s.settings.Stdout)
	write(os.Stderr, s.settings.Stderr)
}

// tell says how the devices are.
func (s *session) tell(ctx *sdk.Context) {
	for status := driver.StatusOnline; status <= driver.StatusOffline; status++ {
		if status.String() != s.settings.Status {
			continue
		}
		for _, d := range ctx.Config().Devices {
			ctx.SetDeviceStatus(d.ID, status, "scripted")
			ctx.SetGauges(d.ID, sdk.Gauge{F0: "attempt", F1: float64(ctx.Attempt())})
		}
	}
}

func write(to io.Writer, text string) {
	if text != "" {
		fmt.Fprintln(to, text)
	}
}

// act does what the script says for this cycle of this attempt.
func (s *session) act(ctx *sdk.Context) error {
	if s.cycle != s.settings.Cycle || !s.scripted(ctx) {
		return nil
	}
	return s.run(ctx, s.stream)
}

func (s *session) poll(ctx *sdk.Context, g *sdk.Group, out *sdk.Batch) error {
	s.cycle++
	s.counter++
	if err := s.answerLate(); err != nil {
		return err
	}
	if err := s.act(ctx); err != nil {
		return err
	}
	if s.settings.Leak > 0 {
		s.leaked = append(s.leaked, make([]byte, s.settings.Leak))
	}
	if err := ctx.Sleep(time.Duration(s.settings.Work)); err != nil {
		return err
	}
	answer, failed := s.ask()
	if s.settings.Forward && len(answer) > 0 {
		publishBytes(ctx, answer, out)
	}
	if err := s.serve(ctx, out); err != nil {
		return err
	}
	for _, id := range g.Points {
		s.sample(ctx, id, failed, out)
	}
	spoil(s.settings.Publish, out)
	if s.settings.Keep {
		return s.save(ctx)
	}
	return nil
}

func (s *session) sample(ctx *sdk.Context, id sdk.PointID, failed error, out *sdk.Batch) {
	switch v, ok := s.written[id]; {
	case failed != nil:
		out.Failed(id, failed, time.Time{})
	case ok:
		out.Good(id, v, time.Time{})
	default:
		out.Good(id, counterValue(ctx.Config().Point(id), s.counter), time.Time{})
	}
}

// spoil makes a batch one that the host refuses.
func spoil(how string, out *sdk.Batch) {
	switch how {
	case "unknown-point":
		out.Good(1<<31, sdk.Boolean(true), time.Time{})
	case "wrong-type":
		id := out.Samples()[0].Point
		if out.Samples()[0].Value.Value.Tag() == driver.ValueTagBoolean {
			out.Good(id, sdk.Text("wrong"), time.Time{})
		} else {
			out.Good(id, sdk.Boolean(true), time.Time{})
		}
	case "too-large":
		out.Add(make([]sdk.Sample, sdk.MaxSamples)...)
	}
}

func (s *session) forward(ctx *sdk.Context, stream *sdk.Stream, out *sdk.Batch) error {
	n, err := stream.Read(s.buf[:])
	if err != nil {
		return err
	}
	publishBytes(ctx, s.buf[:n], out)
	return nil
}

func (s *session) save(ctx *sdk.Context) error {
	var blob [8]byte
	binary.BigEndian.PutUint64(blob[:], s.counter)
	return ctx.SaveState(blob[:])
}

func (s *session) yield(ctx *sdk.Context) error {
	ctx.Hold()
	defer ctx.Release()
	if err := ctx.Sleep(time.Duration(s.settings.Finish)); err != nil {
		return err
	}
	return s.save(ctx)
}
