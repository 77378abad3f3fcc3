package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
)

// getModules answers which modules the node has, and what needs them.
func (n *Node) getModules(context.Context, []byte) (any, error) {
	out := message.Modules{
		Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Domain: n.config.Node.NATS.ModulesDomain,
		Trust: slices.Sorted(maps.Keys(n.config.Node.Trust)), Modules: []message.Module{},
	}
	used := n.inUse()
	for _, e := range n.library.list() {
		m := message.Module{
			Digest: e.Digest, Name: e.Name, Version: e.Version, ABI: e.ABI, Size: e.Size, Added: message.Time{Time: e.Added},
			Kept: e.Path != "", SignedBy: e.SignedBy(), Channels: used[e.Digest],
		}
		delete(used, e.Digest)
		out.Modules = append(out.Modules, m)
	}
	for digest, channels := range used {
		out.Modules = append(out.Modules, n.missingModule(digest, channels))
	}
	for _, m := range out.Modules {
		slices.Sort(m.Channels)
	}
	slices.SortFunc(out.Modules, func(a, b message.Module) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Digest, b.Digest))
	})
	return out, nil
}

// missingModule is one that is in use and that the store does not have, as far as it is known.
func (n *Node) missingModule(digest string, channels []string) message.Module {
	out := message.Module{Digest: digest, Missing: true, Channels: channels}
	if m := n.loaded(digest); m != nil {
		out.Name, out.Version, out.ABI, out.Size = m.Metadata().Name, m.Metadata().Version, module.ABIVersion, int64(m.Size())
	}
	return out
}

// loaded returns a module that a channel has; nil for one that none has.
func (n *Node) loaded(digest string) *module.Module {
	for _, m := range n.members.all() {
		if m.module != nil && m.module.Digest() == digest {
			return m.module
		}
	}
	return nil
}

// getModule answers what a module is that a channel runs.
func (n *Node) getModule(_ context.Context, body []byte) (any, error) {
	digest, err := moduleRequest(body)
	if err != nil {
		return nil, err
	}
	m := n.loaded(digest)
	if m == nil {
		return nil, message.ErrNoModule.With(fmt.Sprintf("no channel of node %s runs %s", n.config.Node.Name, digest))
	}
	return Inspection(m), nil
}

// forgetModule removes a module from the node's own store, unless a channel needs it.
func (n *Node) forgetModule(_ context.Context, body []byte) (any, error) {
	digest, err := moduleRequest(body)
	if err != nil {
		return nil, err
	}
	if channels := n.inUse()[digest]; len(channels) > 0 {
		slices.Sort(channels)
		return nil, message.ErrConflict.With(fmt.Sprintf("%s is needed by %s", digest, strings.Join(channels, ", ")))
	}
	err = n.library.forget(digest)
	if errors.Is(err, store.ErrNotFound) {
		return nil, message.ErrNoModule.With(err.Error())
	}
	return message.ModuleRequest{Digest: digest}, err
}

func moduleRequest(body []byte) (digest string, err error) {
	var r message.ModuleRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return "", message.ErrBody.With(fmt.Sprintf(`the body is not {"digest":"sha256:..."}: %v`, err))
	}
	if !store.IsDigest(r.Digest) {
		return "", message.ErrBody.With(fmt.Sprintf("digest is %.80q, expected sha256: and 64 hexadecimal digits", r.Digest))
	}
	return r.Digest, nil
}
