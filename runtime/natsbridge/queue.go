package natsbridge

// queue is a first-in-first-out queue that reuses its memory.
type queue struct {
	items []entry
	head  int
	count int
}

func (q *queue) len() int { return q.count }

func (q *queue) first() *entry { return q.at(0) }

func (q *queue) at(i int) *entry { return &q.items[(q.head+i)%len(q.items)] }

func (q *queue) push(e entry) {
	q.grow()
	q.items[(q.head+q.count)%len(q.items)] = e
	q.count++
}

func (q *queue) pop() entry {
	e := q.items[q.head]
	q.items[q.head] = entry{}
	q.head = (q.head + 1) % len(q.items)
	q.count--
	return e
}

// remove takes out entry i; those before it move up.
func (q *queue) remove(i int) entry {
	e := *q.at(i)
	for ; i > 0; i-- {
		*q.at(i) = *q.at(i - 1)
	}
	q.pop()
	return e
}

func (q *queue) grow() {
	if q.count < len(q.items) {
		return
	}
	items := make([]entry, max(16, 2*len(q.items)))
	n := copy(items, q.items[q.head:])
	copy(items[n:], q.items[:q.head])
	q.items, q.head = items, 0
}
