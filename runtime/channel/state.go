package channel

import (
	"context"
	"slices"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// maxBlob is how much a driver may keep (state.wit).
const maxBlob = 64 << 10

// Save implements host.State.
func (s *session) Save(_ context.Context, blob []byte) component.Result[component.Unit, driver.StateError] {
	if len(blob) > maxBlob {
		s.strike("it saves more than it may keep")
		return component.Err[component.Unit](driver.StateErrorTooLarge)
	}
	s.channel.mu.Lock()
	defer s.channel.mu.Unlock()
	s.channel.blob = append(make([]byte, 0, len(blob)), blob...)
	return component.Done[driver.StateError]()
}

// Load implements host.State.
func (s *session) Load(context.Context) component.Option[[]byte] {
	s.channel.mu.Lock()
	defer s.channel.mu.Unlock()
	if s.channel.blob == nil {
		return component.None[[]byte]()
	}
	return component.Some(slices.Clone(s.channel.blob))
}
