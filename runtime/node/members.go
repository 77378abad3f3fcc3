package node

import (
	"fmt"
	"slices"
	"sync"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// members are the node's channels, in the order of the configuration. They come, go and change while others look. Its
// methods may be called from any goroutine; the zero value has no members.
type members struct {
	mu     sync.RWMutex
	list   []*member // never changed in place
	byName map[string]*member
	held   map[string]string // by whom
}

// everyMember is what is held where no name is: no channel can have it.
const everyMember = "*"

// newMembers returns the set of these members.
func newMembers(all ...*member) *members {
	s := new(members)
	s.set(all)
	return s
}

// all returns the members there are now. The slice is not to be changed.
func (s *members) all() []*member {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.list
}

// find returns the member of a name; message.ErrNotFound where there is none.
func (s *members) find(name string) (*member, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if m := s.byName[name]; m != nil {
		return m, nil
	}
	return nil, message.ErrNotFound.With(fmt.Sprintf("no channel %q", name))
}

// set has these members be all there are, in this order. Their names differ.
func (s *members) set(all []*member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.byName = slices.Clone(all), make(map[string]*member, len(all))
	for _, m := range all {
		s.byName[m.name()] = m
	}
}

// replace puts next in the place of the member of its name, or at the end where there is none. Whoever calls it holds
// the channel.
func (s *members) replace(next *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.list)
	if before := s.byName[next.name()]; before != nil {
		list[slices.Index(list, before)] = next
	} else {
		list = append(list, next)
	}
	s.list, s.byName[next.name()] = list, next
}

// remove takes out the member of a name. Whoever calls it holds the channel.
func (s *members) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(slices.Clone(s.list), func(m *member) bool { return m.name() == name })
	delete(s.byName, name)
}

// hold keeps others from changing the channels of these names, or any channel where no name is given, until release is
// called. It does not wait: where one of them is held already, it answers message.ErrConflict with what holds it. what is
// a noun, such as "a swap".
func (s *members) hold(what string, names ...string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(names) == 0 {
		names = []string{everyMember}
	}
	for other, by := range s.held {
		switch {
		case other == everyMember:
			return nil, message.ErrConflict.With(by + " of the node is in progress")
		case names[0] == everyMember, slices.Contains(names, other):
			return nil, message.ErrConflict.With(fmt.Sprintf("%s of channel %q is in progress", by, other))
		}
	}
	if s.held == nil {
		s.held = make(map[string]string)
	}
	for _, name := range names {
		s.held[name] = what
	}
	return sync.OnceFunc(func() { s.letGo(names) }), nil
}

func (s *members) letGo(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		delete(s.held, name)
	}
}
