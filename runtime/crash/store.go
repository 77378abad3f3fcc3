package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Config says where crashes are kept, and how many.
type Config struct {
	// Dir is the node's data directory. Required.
	Dir string
	// Keep is how many post-mortems a channel has. Default 10.
	Keep int
	// ReportBytes bounds one of them. Default 256 KiB.
	ReportBytes int
	// TotalBytes bounds all of them; the oldest go. Default 64 MiB.
	TotalBytes int64
	// Logger gets what cannot be written. Required.
	Logger *slog.Logger
}

const (
	defaultKeep        = 10
	defaultReportBytes = 256 << 10
	defaultTotalBytes  = 64 << 20
	// leastReportBytes is room for a post-mortem of which everything was cut that can be.
	leastReportBytes = 16 << 10
	// queued is how many post-mortems wait for the disk; more are dropped.
	queued = 16
)

// Store keeps post-mortems and quarantines. Its methods may be called from any goroutine.
type Store struct {
	config Config
	disk   disk
	queue  chan message.Crash
	poke   chan struct{} // holds one: there are changes
	quit   chan struct{}
	done   chan struct{}
	end    sync.Once

	mu      sync.Mutex
	changes map[string]*message.Quarantine // that wait for the disk; nil lifts
	kept    map[string]bool                // channels that have, or will have, a file of their quarantine
}

// New returns a store. It touches no disk yet. The caller closes it.
func New(c Config) (*Store, error) {
	c.Keep = cmp.Or(c.Keep, defaultKeep)
	c.ReportBytes = cmp.Or(c.ReportBytes, defaultReportBytes)
	c.TotalBytes = cmp.Or(c.TotalBytes, defaultTotalBytes)
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("keep crashes: %w", err)
	}
	s := &Store{
		config: c, disk: real{}, queue: make(chan message.Crash, queued), poke: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
		changes: make(map[string]*message.Quarantine), kept: make(map[string]bool),
	}
	go s.run()
	return s, nil
}

func (c *Config) validate() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	need(c.Dir != "", "the data directory is not named")
	need(c.Logger != nil, "there is no logger")
	need(c.Keep > 0, "%d post-mortems a channel, at least 1 is expected", c.Keep)
	need(c.ReportBytes >= leastReportBytes, "%d bytes a post-mortem, at least %d are expected", c.ReportBytes, leastReportBytes)
	need(c.TotalBytes > 0, "%d bytes in all, a positive number is expected", c.TotalBytes)
	return errors.Join(errs...)
}

// Add keeps a post-mortem. It never blocks: one that finds too many before it is dropped, with a line of the log.
func (s *Store) Add(r message.Crash) {
	select {
	case s.queue <- r:
	default:
		s.config.Logger.Warn("post-mortem dropped", "channel", r.Channel, "code", r.Failure.Code, "error", "too many wait for the disk")
	}
}

// Close writes what waits and returns when that is done, or when ctx is. Nothing is kept that is told afterwards.
func (s *Store) Close(ctx context.Context) error {
	s.end.Do(func() { close(s.quit) })
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write the last post-mortems: %w", context.Cause(ctx))
	}
}

// run is the only writer.
func (s *Store) run() {
	defer close(s.done)
	for {
		select {
		case r := <-s.queue:
			s.save(r)
		case <-s.poke:
			s.settle()
		case <-s.quit:
			s.drain()
			return
		}
	}
}

func (s *Store) drain() {
	s.settle()
	for {
		select {
		case r := <-s.queue:
			s.save(r)
		default:
			return
		}
	}
}

// save writes a post-mortem and makes room.
func (s *Store) save(r message.Crash) {
	dir, err := s.channelDir(r.Channel)
	if err == nil {
		err = s.write(dir, r)
	}
	if err != nil {
		s.config.Logger.Warn("post-mortem not kept", "channel", r.Channel, "code", r.Failure.Code, "error", err)
	}
}

func (s *Store) write(dir string, r message.Crash) error {
	data, err := encode(r, s.config.ReportBytes)
	if err != nil {
		return err
	}
	files, err := numbered(dir)
	if err != nil {
		return err
	}
	next := uint64(1)
	if len(files) > 0 {
		next = files[0].number + 1
	}
	for _, f := range files[min(s.config.Keep-1, len(files)):] {
		err = errors.Join(err, s.disk.remove(filepath.Join(dir, f.name)))
	}
	if err := s.disk.write(filepath.Join(dir, fileName(next)), data); err != nil {
		return err
	}
	return errors.Join(err, s.prune())
}

// channelDir is where a channel's post-mortems are; the name must be one, for it comes from outside.
func (s *Store) channelDir(channel string) (string, error) {
	if !message.ValidName(channel) {
		return "", fmt.Errorf("%q is no name of a channel", channel)
	}
	return filepath.Join(s.config.Dir, crashesDir, channel), nil
}
