package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrNotFound says that a channel has no crash of that number.
var ErrNotFound = errors.New("no such crash")

// List returns a channel's crashes without their stacks, lines and calls, the last one first, and the names of files
// that are damaged. A channel that never crashed has none.
func (s *Store) List(channel string) (crashes []message.Crash, damaged []string, err error) {
	damaged, err = s.each(channel, func(r message.Crash) bool {
		r.Stack, r.Lines, r.Calls = nil, nil, nil
		crashes = append(crashes, r)
		return true
	})
	return crashes, damaged, err
}

// Get returns a channel's crash by its number: 1 is the last. ErrNotFound: there are not as many.
func (s *Store) Get(channel string, n int) (message.Crash, error) {
	var found *message.Crash
	_, err := s.each(channel, func(r message.Crash) bool {
		if r.N == n {
			found = &r
		}
		return found == nil
	})
	switch {
	case err != nil:
		return message.Crash{}, err
	case found == nil:
		return message.Crash{}, fmt.Errorf("%w: channel %q, number %d", ErrNotFound, channel, n)
	}
	return *found, nil
}

// each visits a channel's crashes, the last one first, until visit returns false. Damaged files are left out, named,
// and take no number.
func (s *Store) each(channel string, visit func(message.Crash) bool) (damaged []string, err error) {
	dir, err := s.channelDir(channel)
	if err != nil {
		return nil, err
	}
	files, err := numbered(dir)
	if err != nil {
		return nil, fmt.Errorf("read the crashes of channel %q: %w", channel, err)
	}
	n := 0
	for _, f := range files {
		r, err := s.read(filepath.Join(dir, f.name), channel)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was the oldest, and has gone meanwhile
		}
		if err != nil {
			s.config.Logger.Warn("post-mortem damaged", "channel", channel, "file", filepath.Join(dir, f.name), "error", err)
			damaged = append(damaged, f.name)
			continue
		}
		n++
		r.N = n
		if !visit(r) {
			break
		}
	}
	return damaged, nil
}

func (s *Store) read(path, channel string) (message.Crash, error) {
	data, err := readBounded(path, s.config.ReportBytes)
	if err != nil {
		return message.Crash{}, err
	}
	return decode(data, channel)
}
