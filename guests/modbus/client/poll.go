package client

import (
	"time"

	"github.com/droverhq/drover/guests/sdk"
)

// yieldCheck is how often a long cycle asks whether the session is to yield.
const yieldCheck = 50 * time.Millisecond

// poll reads one group. Units that answered their last request come first, and their samples are out before any other
// unit is asked: what does not answer costs only its own time.
func (s *session) poll(_ *sdk.Context, g *sdk.Group, out *sdk.Batch) error {
	s.cycle++
	s.asked = s.ctx.Now()
	s.looked = s.asked // by the loop
	parts := s.plans[g.Index]
	suspects := 0
	for _, p := range parts {
		if p.unit.circuit.suspect() && p.unit.circuit.lets(s.asked) {
			suspects++
			continue
		}
		if err := s.readPart(p, out); err != nil {
			return err
		}
	}
	if suspects > 0 {
		if err := s.pollSuspects(parts, out); err != nil {
			return err
		}
	}
	s.reportFigures(s.ctx.Now())
	return s.saveLearned()
}

func (s *session) pollSuspects(parts schedule, out *sdk.Batch) error {
	if len(out.Samples()) > 0 {
		if err := out.Publish(); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if p.cycle == s.cycle {
			continue
		}
		if err := s.readPart(p, out); err != nil {
			return err
		}
	}
	return nil
}

// readPart reads all blocks of a part, or as many as there is time for before a yield.
func (s *session) readPart(p *part, out *sdk.Batch) error {
	now := s.ctx.Now()
	if s.interrupted(now) {
		return nil
	}
	p.cycle = s.cycle
	r := reading{session: s, part: p, out: out, at: now, asks: p.unit.circuit.lets(now)}
	p.bad = 0
	first := p.unit.start(len(p.blocks))
	if err := r.span(first, len(p.blocks)); err != nil {
		return err
	}
	if err := r.span(0, first); err != nil {
		return err
	}
	s.report(p.unit)
	return nil
}

// interrupted says whether a cycle is to end early because the session must yield. It asks the host rarely.
func (s *session) interrupted(now time.Time) bool {
	if !s.leaving && now.Sub(s.asked) >= yieldCheck {
		s.asked, s.leaving = now, s.ctx.Yielding()
	}
	return s.leaving
}
