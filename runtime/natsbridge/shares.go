package natsbridge

import "sync"

// shares is a queue that knows whose its entries are: what has to be dropped is dropped of the owner who has the most
// waiting, so that a channel that floods the node loses its own messages and not its neighbours'. What it takes to push and
// pop does not depend on how many owners there are.
type shares struct {
	owners map[string]*share // all that ever had an entry
	// first and last are the ends of a list of all entries, in the order in which they came.
	first, last *place
	count       int
	spare       sync.Pool // of *place
}

// share is what waits of one owner, in the order in which it came.
type share struct {
	first, last *place
	bytes       int
}

// place is an entry in the list of all, and in that of its owner.
type place struct {
	entry
	of            *share
	before, after *place
	next          *place // of the same owner
}

func (s *shares) len() int { return s.count }

// push puts e behind all others.
func (s *shares) push(e entry) {
	w := s.make(e)
	w.before = s.last
	if s.last == nil {
		s.first = w
	} else {
		s.last.after = w
	}
	s.last = w
	if w.of.last == nil {
		w.of.first = w
	} else {
		w.of.last.next = w
	}
	w.of.last = w
}

// pushFront puts e, which was popped before, back to where it was: before all others.
func (s *shares) pushFront(e entry) {
	w := s.make(e)
	w.after, w.next = s.first, w.of.first
	if s.first == nil {
		s.last = w
	} else {
		s.first.before = w
	}
	s.first = w
	if w.of.first == nil {
		w.of.last = w
	}
	w.of.first = w
}

// head returns the entry that came first. There is one.
func (s *shares) head() *entry { return &s.first.entry }

// pop removes the entry that came first. There is one.
func (s *shares) pop() entry { return s.take(s.first) }

// drop removes the first entry of the owner who has the most bytes waiting. There is one.
func (s *shares) drop() entry {
	most := s.first.of
	for _, o := range s.owners {
		if o.bytes > most.bytes {
			most = o
		}
	}
	return s.take(most.first)
}

// take removes w, which is the first of its owner.
func (s *shares) take(w *place) entry {
	if w.before == nil {
		s.first = w.after
	} else {
		w.before.after = w.after
	}
	if w.after == nil {
		s.last = w.before
	} else {
		w.after.before = w.before
	}
	if w.of.first = w.next; w.next == nil {
		w.of.last = nil
	}
	e := w.entry
	w.of.bytes -= e.cost()
	s.count--
	*w = place{}
	s.spare.Put(w)
	return e
}

// make counts e, and returns it with its owner and no neighbours.
func (s *shares) make(e entry) *place {
	w, ok := s.spare.Get().(*place)
	if !ok {
		w = new(place)
	}
	w.entry, w.of = e, s.share(e.owner)
	w.of.bytes += e.cost()
	s.count++
	return w
}

func (s *shares) share(owner string) *share {
	o := s.owners[owner]
	if o == nil {
		if s.owners == nil {
			s.owners = make(map[string]*share)
		}
		o = new(share)
		s.owners[owner] = o
	}
	return o
}
