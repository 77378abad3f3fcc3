package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// Check loads the drivers of a configuration and holds the settings against their schemas. All problems come together,
// those of a driver that cannot be loaded at the place where the file names it.
//
// Modules of the store are looked for in the data directory, and then in the bucket, which may be nil.
func Check(ctx context.Context, loader *module.Loader, c *config.Node, bucket Bucket) config.Problems {
	library := newLibrary(c, loader, slog.New(slog.DiscardHandler))
	library.looking, library.bucket = true, bucket
	from := library.batch()
	var problems config.Problems
	for _, ch := range c.Channels {
		m, err := from.load(ctx, ch.Driver, limits(ch.Limits).Limits)
		if err != nil {
			problems = append(problems, driverProblem(c, ch, err))
			continue
		}
		problems = append(problems, settingsProblems(m.Metadata(), c, ch)...)
		_ = m.Release(ctx) // it was only looked at
	}
	problems.Sort()
	return problems
}

func driverProblem(c *config.Node, ch *config.Channel, err error) config.Problem {
	return config.Problem{
		File: ch.DriverPosition.File, Line: ch.DriverPosition.Line, Column: ch.DriverPosition.Column,
		Path: "channels." + ch.Name + ".driver", Message: loadFailure(ch, err).Summary,
		Refused: errors.Is(err, signature.ErrUntrusted),
	}
}

// loadFailure is the failure of a driver that cannot be loaded: one that its channel cannot mend by trying again.
func loadFailure(ch *config.Channel, err error) *failure.Failure {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		g := *f
		g.Kind = failure.Fatal
		g.Summary = fmt.Sprintf("driver %s: %s", ch.Driver, f.Summary)
		return &g
	}
	code := failure.IOOther
	switch {
	case errors.Is(err, store.ErrDamaged): // whether or not another can be had
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, store.ErrNotFound):
		code = failure.IONotFound
	case errors.Is(err, fs.ErrPermission):
		code = failure.GrantDenied
	}
	f := failure.New(failure.PhaseDescribe, code, err.Error())
	f.Kind, f.Cause = failure.Fatal, err
	return f
}

// settingsProblems is checkSettings with all that is wrong as problems of the file.
func settingsProblems(m driver.Metadata, c *config.Node, ch *config.Channel) config.Problems {
	problems, err := checkSettings(m, ch)
	if err != nil {
		return config.Problems{driverProblem(c, ch, err)}
	}
	return problems
}

// checkSettings holds what the file says to a channel's driver against the driver's schemas. The error is about those.
func checkSettings(m driver.Metadata, ch *config.Channel) (config.Problems, error) {
	schemas, err := drivers.of(m)
	if err != nil {
		return nil, err
	}
	var problems config.Problems
	for s, value := range schemas.values(ch) {
		found, err := s.check(value)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}
