package natsbridge

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// TestKeysForget: an answer is kept for its time from its end on, and no longer.
func TestKeysForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys()
		command := sha256.Sum256([]byte("write"))
		first, err := k.claim("c.k", command, asker{}, time.Now())
		if err != nil || !first.mine {
			t.Fatal(first, err)
		}
		<-time.After(time.Hour) // a long action
		if again, err := k.claim("c.k", command, asker{}, time.Now()); err != nil || again.mine || again.answer != nil {
			t.Errorf("while it runs: %+v, %v", again, err)
		}
		if to := k.answer(first.keyed, answer{body: []byte("done")}, true, true); len(to) != 2 {
			t.Errorf("answered to %+v", to)
		}
		<-time.After(keyLife - 1)
		if again, err := k.claim("c.k", command, asker{}, time.Now()); err != nil || again.answer == nil || string(again.answer.body) != "done" {
			t.Errorf("just before its end: %+v, %v", again, err)
		}
		<-time.After(1)
		if again, err := k.claim("c.k", command, asker{}, time.Now()); err != nil || !again.mine {
			t.Errorf("after its end: %+v, %v", again, err)
		}
	})
}

// TestKeysAreBounded: a new key is refused rather than an old one forgotten, and there is room again in time.
func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys()
		k.limit = 100 * keyedBytes
		var err error
		n := 0
		for ; err == nil; n++ {
			var first claimed
			if first, err = k.claim(fmt.Sprint("c.", n), sha256.Sum256(nil), asker{}, time.Now()); err == nil {
				k.answer(first.keyed, answer{body: make([]byte, keyedBytes)}, true, true)
			}
		}
		if !errors.Is(err, message.ErrBusy) || n != 51 || k.bytes > k.limit {
			t.Errorf("%v after %d, %d bytes", err, n, k.bytes)
		}
		if old, err := k.claim("c.0", sha256.Sum256(nil), asker{}, time.Now()); err != nil || old.answer == nil {
			t.Errorf("the oldest: %+v, %v", old, err)
		}
		<-time.After(keyLife)
		if fresh, err := k.claim("c.new", sha256.Sum256(nil), asker{}, time.Now()); err != nil || !fresh.mine || k.bytes != keyedBytes || len(k.entries) != 1 {
			t.Errorf("in time: %+v, %v, %d bytes", fresh, err, k.bytes)
		}
	})
}

// TestKeysQueueIsBounded: not everybody can wait for one answer.
func TestKeysQueueIsBounded(t *testing.T) {
	k := newKeys()
	for range longestQueue {
		if _, err := k.claim("c.k", sha256.Sum256(nil), asker{}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.claim("c.k", sha256.Sum256(nil), asker{}, time.Now()); !errors.Is(err, message.ErrBusy) {
		t.Errorf("one more: %v", err)
	}
}
