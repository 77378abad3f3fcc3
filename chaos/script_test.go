//go:build chaos && linux

package chaos

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// act is what happens to a channel, or to NATS.
type act struct {
	// at is its time since the start. It waits for the channel to be ready.
	at   time.Duration
	what string
	// lasts is how long; 0 for what is over at once.
	lasts time.Duration
}

// deed is a kind of act.
type deed struct {
	what string
	// lasting are done for a while, others at once.
	lasting bool
	// codes are what an attempt may fail with. None: nothing may fail.
	codes []string
}

// once says whether exactly one attempt fails of it.
func (d deed) once() bool { return !d.lasting && len(d.codes) > 0 }

// misbehaviour is what drivers do: behaviours of the test driver. Its floods are those that are above the limits on a
// slow machine, too.
var misbehaviour = []deed{
	{"panic", false, []string{"trap.unreachable"}},
	{"nil", false, []string{"trap.unreachable"}},
	{"divide", false, []string{"trap.unreachable"}},
	{"trap:memory-bounds", false, []string{"trap.memory-bounds"}},
	{"trap:table-bounds", false, []string{"trap.table-bounds"}},
	{"trap:indirect-call", false, []string{"trap.indirect-call"}},
	{"trap:divide-by-zero", false, []string{"trap.divide-by-zero"}},
	{"trap:integer-overflow", false, []string{"trap.integer-overflow"}},
	{"trap:conversion", false, []string{"trap.conversion"}},
	{"exit:3", false, []string{"exit"}},
	{"fail:retryable", false, []string{"driver.broken"}},
	{"io:reset", false, []string{"io.reset"}},
	{"disconnected", false, []string{"io.closed"}},
	{"loop", false, []string{"limit.cpu"}},
	{"recurse", false, []string{"limit.stack"}},
	{"oom", false, []string{"limit.memory"}},
	{"flood:samples", false, []string{"limit.rate"}},
	{"flood:unknown-point", false, []string{"limit.rate"}},
	{"flood:wrong-type", false, []string{"limit.rate"}},
	{"flood:log", false, []string{"limit.rate"}},
	{"flood:stdout", false, []string{"limit.rate"}},
	{"flood:large-state", false, []string{"limit.rate"}},
}

// greed is misbehaviour of those who have a connection.
var greed = append([]deed{{"flood:streams", false, []string{"limit.rate"}}}, misbehaviour...)

// trouble is what a device on TCP has: its sockets are closed, nobody takes them, it sends what is not Modbus, or
// nothing.
var trouble = []deed{
	{"close", false, []string{"io.closed", "io.reset"}},
	{"refuse", true, []string{"io.closed", "io.reset", "io.refused"}},
	{"garbage", true, []string{"driver.bad-frame"}},
	{"mute", true, []string{"io.timeout"}},
}

// mishaps are what a serial line has: the adapter is unplugged, or the device does not answer, which ends no session.
var mishaps = []deed{
	{"unplug", true, []string{"io.closed", "io.other", "io.not-found"}},
	{"mute", true, nil},
}

// outages are what NATS has: it reads nothing, the connection is cut, the server is away.
var outages = []deed{{"stall", true, nil}, {"cut", false, nil}, {"restart", true, nil}}

// server is the name of NATS in a script.
const server = "nats"

// victims are who is attacked, and with what.
var victims = map[string][]deed{
	"puppet1": greed, "puppet2": greed, "called": misbehaviour,
	"socket1": trouble, "socket2": trouble, "adapter": mishaps,
	server: outages,
}

// script is what happens to whom, in order.
type script map[string][]act

// write makes the script of a seed. It depends on nothing else, and what happens in a shorter one is how a longer one
// begins.
func write(seed uint64, length time.Duration) script {
	s := script{}
	for who, deeds := range victims {
		r := rand.New(rand.NewPCG(seed, hash(who)))
		gap := 3 * time.Second // between two acts on the same channel
		if who == server {
			gap = 6 * time.Second
		}
		var pack []deed // each is done once before one is done again
		for at := between(r, gap/6, gap/2); at < length; at += between(r, gap/2, gap) {
			if len(pack) == 0 {
				pack = slices.Clone(deeds)
				r.Shuffle(len(pack), func(i, j int) { pack[i], pack[j] = pack[j], pack[i] })
			}
			a := act{at: at, what: pack[0].what}
			if pack[0].lasting {
				a.lasts = between(r, 500*time.Millisecond, 4*time.Second)
			}
			pack = pack[1:]
			s[who] = append(s[who], a)
			at += a.lasts
		}
	}
	return s
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return (least + time.Duration(r.Int64N(int64(most-least)))).Round(time.Millisecond)
}

// hash is FNV-1a: each channel has its own numbers.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// deedOf finds what an act is.
func deedOf(who string, a act) deed {
	i := slices.IndexFunc(victims[who], func(d deed) bool { return d.what == a.what })
	return victims[who][i]
}

// TestScript: the same seed is the same script, another one is not, and two minutes have everything in them.
func TestScript(t *testing.T) {
	one := write(1, 2*time.Minute)
	if !reflect.DeepEqual(one, write(1, 2*time.Minute)) || reflect.DeepEqual(one, write(2, 2*time.Minute)) {
		t.Error("a script is not what its seed makes of it")
	}
	for who, acts := range write(1, 10*time.Second) {
		if !reflect.DeepEqual(acts, one[who][:len(acts)]) {
			t.Errorf("%s: a short script is not how the long one begins", who)
		}
	}
	for who, deeds := range victims {
		for _, d := range deeds {
			if !slices.ContainsFunc(one[who], func(a act) bool { return a.what == d.what }) {
				t.Errorf("%s: %s is never done", who, d.what)
			}
		}
		for i, a := range one[who] {
			if before := one[who][max(i-1, 0)]; i > 0 && a.at <= before.at+before.lasts {
				t.Errorf("%s: %s at %s overlaps", who, a.what, a.at)
			}
		}
	}
}
