package natsbridge

// shares is a queue that knows whose its entries are: what has to be dropped is dropped of the owner who has the most
// waiting, so that a channel that floods the node loses its own messages and not its neighbours'.
type shares struct {
	owners []*share // of all that ever had an entry
	count  int
}

// share is what waits of one owner.
type share struct {
	queue
	owner string
	bytes int
}

func (s *shares) len() int { return s.count }

// push puts e behind all others.
func (s *shares) push(e entry) {
	to := s.of(e.owner)
	to.queue.push(e)
	s.add(to, &e, 1)
}

// pushFront puts e, which was taken before, back to where it was.
func (s *shares) pushFront(e entry) {
	to := s.of(e.owner)
	to.queue.pushFront(e)
	s.add(to, &e, 1)
}

// first returns the entry that came first. There is one.
func (s *shares) first() *entry { return s.oldest().queue.first() }

// pop removes the entry that came first. There is one.
func (s *shares) pop() entry { return s.take(s.oldest()) }

// drop removes the first entry of the owner who has the most bytes waiting. There is one.
func (s *shares) drop() entry {
	var most *share
	for _, o := range s.owners {
		if o.len() > 0 && (most == nil || o.bytes > most.bytes) {
			most = o
		}
	}
	return s.take(most)
}

func (s *shares) oldest() *share {
	var first *share
	for _, o := range s.owners {
		if o.len() > 0 && (first == nil || o.queue.first().order < first.queue.first().order) {
			first = o
		}
	}
	return first
}

func (s *shares) take(from *share) entry {
	e := from.queue.pop()
	s.add(from, &e, -1)
	return e
}

// add counts an entry, or what is none any more.
func (s *shares) add(to *share, e *entry, n int) {
	to.bytes += n * e.cost()
	s.count += n
}

func (s *shares) of(owner string) *share {
	for _, o := range s.owners {
		if o.owner == owner {
			return o
		}
	}
	o := &share{owner: owner}
	s.owners = append(s.owners, o)
	return o
}
