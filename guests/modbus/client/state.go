package client

import (
	"encoding/binary"

	"github.com/droverhq/drover/guests/modbus/link"
	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// stateVersion is the first byte of what is kept: then the last transaction id, then for each unit that has cuts its
// address and the cuts.
const stateVersion = 1

// stateHead is the size of version and transaction id.
const stateHead = 3

// save keeps what the next session is to know. It keeps no cuts that do not fit.
func (s *session) save() error {
	blob := append(make([]byte, 0, 64), stateVersion, 0, 0)
	if tcp, ok := s.bus.link.(*link.TCP); ok {
		binary.BigEndian.PutUint16(blob[1:], tcp.Transaction())
	}
	for _, u := range s.units {
		if len(u.cuts) == 0 {
			continue
		}
		more := u.cuts.Append(append(blob, u.address))
		if len(more) > sdk.MaxState {
			break
		}
		blob = more
	}
	s.learned = false
	return s.ctx.SaveState(blob)
}

// saveLearned saves cuts that are new, so that an attempt after a failure has them too.
func (s *session) saveLearned() error {
	if !s.learned {
		return nil
	}
	return s.save()
}

// load takes what a session before kept, and returns its last transaction id. What it does not understand is as good as
// nothing.
func (s *session) load() (last uint16) {
	blob, ok := s.ctx.LoadState()
	if !ok || len(blob) < stateHead || blob[0] != stateVersion {
		return 0
	}
	last = binary.BigEndian.Uint16(blob[1:])
	for rest := blob[stateHead:]; len(rest) > 0; {
		address := rest[0]
		var cuts plan.Cuts
		if cuts, rest, ok = plan.ParseCuts(rest[1:]); !ok {
			s.ctx.Log().Warn("saved state is broken and ignored from some place on", "bytes", len(blob))
			break
		}
		for _, u := range s.units {
			if u.address == address {
				u.cuts = cuts
			}
		}
	}
	return last
}
