package natsbridge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// shore is a stream as a lane meets it: it stores a message once, and only after the one that it names.
type shore struct {
	stored []string
	known  map[string]bool
}

func (s *shore) take(p parcel) (duplicate bool, r *refusal) {
	switch {
	case s.known[p.id]:
		return true, nil
	case p.expected != "" && !slices.Equal(s.stored[max(len(s.stored)-1, 0):], []string{p.expected}):
		return false, &refusal{text: "wrong last", order: true}
	}
	s.known[p.id] = true
	s.stored = append(s.stored, p.id)
	return false, nil
}

func newTestLane(limit int, hold bool) *lane {
	return newLane(newRing(4*slot, new(buffers)), limit, hold)
}

func fill(l *lane, from, to int) {
	for i := from; i <= to; i++ {
		l.add(entry{id: strconv.Itoa(i), body: l.buffers.get(10)})
	}
}

// TestLaneAgainstEverything has messages and answers lost, refused, delayed and answered twice, and the connection
// fail, at random: what is stored is everything, once and in order.
func TestLaneAgainstEverything(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { sail(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func sail(t *testing.T, random *rand.Rand) {
	const messages = 200
	l := newTestLane(1<<20, false)
	s := &shore{known: map[string]bool{}}
	now := time.Unix(0, 0)
	l.open(laneStream, "")
	var answers []func()
	fill(l, 1, messages)
	for steps := 0; l.queue.len() > 0; steps++ {
		if steps > 100_000 {
			t.Fatalf("%d of %d arrived", messages-l.queue.len(), messages)
		}
		now = now.Add(time.Duration(random.IntN(200)) * time.Millisecond)
		l.tick(now)
		switch random.IntN(40) {
		case 0: // the connection fails, and with it what was on its way
			l.shut("")
			last := ""
			if len(s.stored) > 0 && random.IntN(2) == 0 {
				last = s.stored[len(s.stored)-1]
			}
			l.open(laneStream, last)
		case 1: // somebody else writes
			s.stored = append(s.stored, "foreign")
		case 2: // the server does not want to
			if p, ok := l.take(now); ok {
				l.settle(p, nil)
				l.fail(p.number, refusal{text: "no space"}, now)
			}
		}
		if p, ok := l.take(now); ok {
			l.settle(p, nil)
			if random.IntN(20) > 0 { // the message arrives
				duplicate, refused := s.take(p)
				answer := func() { l.ack(p.number, duplicate, now) }
				if refused != nil {
					answer = func() { l.fail(p.number, *refused, now) }
				}
				if random.IntN(20) > 0 { // and so will its answer
					answers = append(answers, answer)
				}
			}
		}
		for len(answers) > 0 && random.IntN(3) > 0 {
			answers[0]()
			answers = answers[1:]
		}
	}
	ours := slices.DeleteFunc(s.stored, func(id string) bool { return id == "foreign" })
	if len(ours) != messages {
		t.Fatalf("stored %d of %d", len(ours), messages)
	}
	for i, id := range ours {
		if id != strconv.Itoa(i+1) {
			t.Fatalf("message %d is %s", i+1, id)
		}
	}
}

func TestLaneDropsTheOldestThatIsNotInFlight(t *testing.T) {
	l := newTestLane(4*slot, false)
	l.open(laneStream, "")
	l.probing = false
	fill(l, 1, 4)
	for range 2 {
		p, _ := l.take(time.Now())
		l.settle(p, nil)
	}
	if status, _ := l.status(); status != laneFull {
		t.Errorf("status %s", status)
	}
	if l.add(entry{id: "5", body: l.buffers.get(10)}) {
		t.Error("nothing was dropped")
	}
	if got := waiting(l); got != "[1 2 4 5]" || l.counts.dropped != 1 {
		t.Errorf("got %s, dropped %d", got, l.counts.dropped)
	}
}

func waiting(l *lane) string {
	var ids []string
	for i := range l.queue.len() {
		ids = append(ids, l.queue.at(i).id)
	}
	return fmt.Sprint(ids)
}

func TestLaneBackpressure(t *testing.T) {
	l := newTestLane(4*slot, true)
	l.open(laneStream, "")
	c := make(chan struct{}, 1)
	if fill(l, 1, 3); !l.room(c) {
		t.Error("no room for the fourth")
	}
	if fill(l, 4, 4); l.room(c) {
		t.Error("room for the fifth")
	}
	if fill(l, 5, 8); l.counts.dropped != 0 {
		t.Error("what comes without room is dropped below the hard limit")
	}
	if fill(l, 9, 9); l.counts.dropped != 1 {
		t.Error("above the hard limit nothing is dropped")
	}
	now := time.Now()
	for l.queue.len() > 2 {
		select {
		case <-c:
			t.Fatalf("told of room with %d messages", l.queue.len())
		default:
		}
		p, _ := l.take(now)
		l.settle(p, nil)
		l.ack(p.number, false, now)
	}
	select {
	case <-c:
	default:
		t.Error("not told of room")
	}
	if !l.room(c) {
		t.Error("no room")
	}
}

func TestLaneRefusesForGood(t *testing.T) {
	l := newTestLane(1<<20, false)
	l.open(laneStream, "")
	l.probing = false
	fill(l, 1, 4)
	now := time.Now()
	var numbers []uint64
	for range 3 {
		p, _ := l.take(now)
		l.settle(p, nil)
		numbers = append(numbers, p.number)
	}
	l.ack(numbers[0], false, now)
	l.fail(numbers[1], refusal{text: "too large", final: true}, now)
	l.fail(numbers[2], refusal{text: "wrong last", order: true}, now) // it is not listened to any more
	if got := waiting(l); got != "[3 4]" || l.counts.refused != 1 || l.counts.failed != 1 {
		t.Errorf("got %s, %+v", got, l.counts)
	}
	if p, ok := l.take(now); !ok || p.id != "3" || p.expected != "1" {
		t.Errorf("got %s after %s, %t", p.id, p.expected, ok)
	}
}

func TestLanePauses(t *testing.T) {
	l := newTestLane(1<<20, false)
	l.open(laneStream, "")
	fill(l, 1, 1)
	now := time.Now()
	var pauses []time.Duration
	for range 8 {
		p, ok := l.take(now)
		if !ok {
			t.Fatal("nothing to send")
		}
		l.settle(p, nil)
		l.fail(p.number, refusal{text: "no"}, now)
		due := l.tick(now)
		pauses = append(pauses, due.Sub(now))
		now = due
	}
	want := "[100ms 200ms 400ms 800ms 1.6s 3.2s 5s 5s]"
	if got := fmt.Sprint(pauses); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, ok := l.take(now); !ok || l.tick(now) != now.Add(ackWait) {
		t.Error("the answer is not awaited")
	}
	if due := l.tick(now.Add(ackWait)); due != now.Add(ackWait+mostPause) {
		t.Errorf("after no answer, %s", due.Sub(now))
	}
	if trouble, since := l.troubled(); trouble != "no acknowledgement within 5s" || since.After(now) {
		t.Errorf("trouble %q since %s", trouble, since)
	}
}

// What a stream that is gone has not acknowledged is sent without one.
func TestLaneGoesOnWithoutAStream(t *testing.T) {
	l := newTestLane(1<<20, false)
	l.open(laneStream, "")
	l.probing = false
	fill(l, 1, 3)
	now := time.Now()
	for range 2 {
		p, _ := l.take(now)
		l.settle(p, nil)
	}
	l.open(lanePlain, "")
	var ids []string
	for {
		p, ok := l.take(now)
		if !ok {
			break
		}
		ids = append(ids, p.id)
		l.settle(p, nil)
	}
	if got := fmt.Sprint(ids); got != "[1 2 3]" || l.queue.len() != 0 || l.bytes != 0 {
		t.Errorf("sent %s, %d left", got, l.queue.len())
	}
}

// A buffer is not lent again while the publisher has it in its hands.
func TestLaneKeepsWhatIsBeingSent(t *testing.T) {
	l := newTestLane(2*slot, false)
	l.open(laneStream, "")
	fill(l, 1, 2)
	p, _ := l.take(time.Now())
	l.shut("") // it is not in flight any more
	fill(l, 3, 3)
	if got := waiting(l); got != "[2 3]" {
		t.Fatalf("got %s", got)
	}
	for range 10 {
		if l.buffers.get(10) == p.body {
			t.Fatal("the buffer was lent again")
		}
	}
	l.settle(p, nil)
	if l.orphaned || l.sending != nil {
		t.Error("not settled")
	}
}
