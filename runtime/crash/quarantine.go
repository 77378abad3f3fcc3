package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// maxQuarantine bounds the file of a quarantine.
const maxQuarantine = 64 << 10

// Quarantine keeps that a channel is quarantined, in the place of what was kept before. It never blocks.
func (s *Store) Quarantine(q message.Quarantine) {
	q.Reason, q.LastFailure.Summary = cutText(q.Reason), cutText(q.LastFailure.Summary)
	s.change(q.Channel, &q)
}

// Lift forgets that a channel is quarantined. It never blocks, and does nothing where nothing is kept.
func (s *Store) Lift(channel string) { s.change(channel, nil) }

// change tells the writer; a change that it has not come to is replaced.
func (s *Store) change(channel string, q *message.Quarantine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q == nil && !s.kept[channel] {
		return
	}
	s.kept[channel] = q != nil
	s.changes[channel] = q
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// settle brings the files to where the changes want them.
func (s *Store) settle() {
	s.mu.Lock()
	changes := s.changes
	s.changes = make(map[string]*message.Quarantine)
	s.mu.Unlock()
	for channel, q := range changes {
		if err := s.settleOne(channel, q); err != nil {
			s.config.Logger.Error("quarantine not kept", "channel", channel, "error", err)
		}
	}
}

func (s *Store) settleOne(channel string, q *message.Quarantine) error {
	path, err := s.quarantinePath(channel)
	if err != nil {
		return err
	}
	if q == nil {
		return s.disk.remove(path)
	}
	data, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode the quarantine: %w", err)
	}
	return s.disk.write(path, data)
}

// Quarantined returns what is kept of a channel's quarantine, or nil. The error names the file that cannot be read.
func (s *Store) Quarantined(channel string) (*message.Quarantine, error) {
	path, err := s.quarantinePath(channel)
	if err != nil {
		return nil, err
	}
	data, err := readBounded(path, maxQuarantine)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s.mu.Lock()
	s.kept[channel] = true // also a damaged one: it goes with the next attempt
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %w", err)
	}
	q, err := message.Decode[message.Quarantine](data)
	if err == nil && (q.Channel != channel || q.Reason == "" || q.Digest == "" || q.Since.IsZero()) {
		err = fmt.Errorf("it has no channel %q with reason, digest and time", channel)
	}
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %s: %w", path, err)
	}
	return &q, nil
}

func (s *Store) quarantinePath(channel string) (string, error) {
	if !message.ValidName(channel) {
		return "", fmt.Errorf("%q is no name of a channel", channel)
	}
	return filepath.Join(s.config.Dir, quarantineDir, channel+extension), nil
}
