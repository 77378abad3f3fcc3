package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

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
		defer m.Release(ctx) //nolint:errcheck // it was only looked at; until the end, so that channels share it
		problems = append(problems, settingsProblems(from, m.Metadata(), c, ch)...)
	}
	problems.Sort()
	return problems
}

func driverProblem(c *config.Node, ch *config.Channel, err error) config.Problem {
	return config.Problem{
		File: ch.DriverPosition.File, Line: int(ch.DriverPosition.Line), Column: int(ch.DriverPosition.Column),
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

// settingsProblems is loading.check with all that is wrong as problems of the file.
func settingsProblems(from loading, m driver.Metadata, c *config.Node, ch *config.Channel) config.Problems {
	problems, err := from.check(m, ch)
	if err != nil {
		return config.Problems{driverProblem(c, ch, err)}
	}
	return problems
}

// checks hold what the file says to channels' drivers against the drivers' schemas, for one load: what very many channels
// say alike is held against a schema once. Its methods may be called from any goroutine; the zero value has checked nothing.
type checks struct {
	mu    sync.Mutex
	known map[checked]verdict
}

// checked is a value that was held against a schema.
type checked struct {
	schema *jsonschema.Schema
	value  string
}

// check returns a problem for each part of a channel's settings and addresses that its driver does not allow, at its place in
// the file. The error is about the schemas.
func (c *checks) check(m driver.Metadata, ch *config.Channel) (config.Problems, error) {
	schemas, err := drivers.of(m)
	if err != nil {
		return nil, err
	}
	var problems config.Problems
	for part := range ch.Parts() {
		says, err := c.judge(schemas.of(part), part.Raw)
		if err != nil {
			return nil, err
		}
		for _, v := range says {
			problems = append(problems, part.Problem(v.at, v.text))
		}
	}
	return problems, nil
}

// judge is schema.judge with what is known of the value already. The channel pays for that as if it was not.
func (c *checks) judge(s schema, value string) ([]violation, error) {
	if s.Schema == nil {
		return nil, nil
	}
	key := checked{s.Schema, value}
	c.mu.Lock()
	v, known := c.known[key]
	c.mu.Unlock()
	if known {
		if err := again(s.left, len(value), v.cost); err != nil {
			return nil, abiProblem(s.name, err)
		}
		return v.says, nil
	}
	v, err := s.judge(value)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[checked]verdict)
	}
	c.known[key] = v
	return v.says, nil
}

// checkSettings is checks.check for one channel.
func checkSettings(m driver.Metadata, ch *config.Channel) (config.Problems, error) {
	return new(checks).check(m, ch)
}
