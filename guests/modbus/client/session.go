package client

import (
	"time"

	"github.com/droverhq/drover/guests/sdk"
)

// session is one connection.
type session struct {
	*setup
	ctx *sdk.Context
	bus bus
	// plans are by the index of their group.
	plans []schedule
	// cycle counts polls of groups, from 1.
	cycle    uint64
	reported time.Time
	// learned says that cuts were made which are not saved.
	learned bool
	// asked is when the host was last asked whether the session is to yield; leaving says that it is.
	asked   time.Time
	leaving bool
	// looked is when the host was last asked for commands during a poll cycle.
	looked time.Time
}

var _ sdk.Session = (*session)(nil)

// Init implements sdk.Session. All is done by then; the handle has every point.
func (s *session) Init(*sdk.Context) (sdk.Handle, error) {
	return sdk.Handle{Points: s.served, Actions: s.actions()}, nil
}

// Run implements sdk.Session.
func (s *session) Run(ctx *sdk.Context) (sdk.Outcome, error) {
	now := ctx.Now()
	scheduler := sdk.NewScheduler(ctx.Config().Points, now)
	s.reported = now
	s.plan(scheduler.Groups())
	for _, u := range s.units {
		if len(u.parts) == 0 { // no poll will tell how it is
			s.report(u)
		}
	}
	loop := sdk.Loop{Scheduler: scheduler, Poll: s.poll, Command: s.command, Yield: s.yield}
	return loop.Run(ctx)
}

// yield saves what the next session is to know.
func (s *session) yield(*sdk.Context) error { return s.save() }
