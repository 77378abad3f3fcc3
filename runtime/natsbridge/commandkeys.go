package natsbridge

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// keyLife is how long the answer to a command with a key is kept.
	keyLife = 10 * time.Minute
	// keysBytes bounds the answers that are kept: when there is no room, commands with new keys are refused, because to
	// forget one would be to do it again.
	keysBytes = 16 << 20
	// keyedBytes is what one costs besides its answer.
	keyedBytes = 512
	// longestQueue is how many callers may wait for the first answer to one key.
	longestQueue = 64
)

// keys are the commands with a key that were done within keyLife, or are being done. Memory of this start of the node.
type keys struct {
	mu      sync.Mutex
	limit   int
	bytes   int
	entries map[string]*keyed
	done    []*keyed // in the order in which they end
}

// keyed is one of them.
type keyed struct {
	name    string
	command [sha256.Size]byte
	replies []asker // who waits for the first answer
	answer  *answer // the first; nil until it is there
	ends    time.Time
}

func newKeys() *keys { return &keys{limit: keysBytes, entries: make(map[string]*keyed)} }

// claim makes a command with a key the first of it, or finds that it was not: then the caller is answered what the first
// was, now or when it is.
func (j *job) claim(r micro.Request) error {
	if j.key == "" || j.verb == "read" {
		return nil
	}
	command := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s", r.Subject(), j.generation, j.body))
	first, err := j.calls.keys.claim(j.channel+"."+j.key, command, j.asker, j.arrived)
	switch {
	case err != nil:
		return err
	case first.answer != nil:
		j.calls.send(j.asker, *first.answer)
		return errAnswered
	case !first.mine:
		return errAnswered
	}
	j.keyed = first.keyed
	return nil
}

// claimed is what claim found.
type claimed struct {
	*keyed
	mine   bool
	answer *answer
}

func (k *keys) claim(name string, command [sha256.Size]byte, from asker, now time.Time) (claimed, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(now)
	e := k.entries[name]
	switch {
	case e == nil && k.bytes+keyedBytes > k.limit:
		return claimed{}, message.ErrBusy.With("too many commands with keys in the last 10 minutes")
	case e == nil:
		e = &keyed{name: name, command: command, replies: []asker{from}}
		k.entries[name] = e
		k.bytes += keyedBytes
		return claimed{keyed: e, mine: true}, nil
	case e.command != command:
		return claimed{}, message.ErrKey
	case e.answer != nil:
		return claimed{answer: e.answer}, nil
	case len(e.replies) >= longestQueue:
		return claimed{}, message.ErrBusy
	}
	e.replies = append(e.replies, from)
	return claimed{}, nil
}

// answer keeps an answer and returns to whom it is to be sent. The last one is kept for keyLife if the command was sent,
// or if an answer before it said that it goes on; if not, it may be tried again.
func (k *keys) answer(e *keyed, a answer, last, sent bool) []asker {
	k.mu.Lock()
	defer k.mu.Unlock()
	replies := e.replies
	e.replies = nil
	if last && !sent && e.answer == nil {
		k.remove(e)
		return replies
	}
	if e.answer != nil {
		k.bytes -= len(e.answer.body)
	}
	e.answer = &a
	k.bytes += len(a.body)
	if last {
		e.ends = time.Now().Add(keyLife)
		k.done = append(k.done, e)
	}
	return replies
}

// forget removes those whose time is over. The lock is held.
func (k *keys) forget(now time.Time) {
	for len(k.done) > 0 && !k.done[0].ends.After(now) {
		k.remove(k.done[0])
		k.done[0] = nil
		k.done = k.done[1:]
	}
}

func (k *keys) remove(e *keyed) {
	delete(k.entries, e.name)
	k.bytes -= keyedBytes
	if e.answer != nil {
		k.bytes -= len(e.answer.body)
	}
}
