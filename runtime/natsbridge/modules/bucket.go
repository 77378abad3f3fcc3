// Package modules keeps drivers in a NATS object store, where every node of the account finds them.
//
// The bucket is shared by all nodes. An object is named after the module's digest, and whoever fetches one holds it
// against that: the server need not be trusted with more than having it.
package modules

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/store"
)

// Name is the bucket's name; its stream is OBJ_ and that.
const Name = "drover-modules"

// entryKey is the metadata of an object that has its store.Entry, as JSON.
const entryKey = "drover-entry"

// maxModule is the largest module that is fetched: what a node would refuse to load is not worth its way.
const maxModule = 64 << 20

// Bucket is the object store. Its methods may be called from any goroutine; each ends with its ctx.
type Bucket struct{ objects jetstream.ObjectStore }

// Open opens the bucket, and makes it when it is not there and create is set. An error that wraps store.ErrNotFound:
// there is none. The connection stays the caller's.
func Open(ctx context.Context, conn *nats.Conn, create bool) (*Bucket, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("open the module bucket: %w", err)
	}
	objects, err := js.ObjectStore(ctx, Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) && create {
		objects, err = js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: Name, Description: "Drover's driver modules, by digest",
		})
	}
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		err = fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the module bucket: %w", err)
	}
	return &Bucket{objects}, nil
}

// Put adds a module, or gives one that is there the signatures that it has not. The entry's digest must be the
// binary's. An error that wraps store.ErrTaken: another module has the same name and version.
func (b *Bucket) Put(ctx context.Context, e store.Entry, binary []byte) error {
	if store.Digest(binary) != e.Digest {
		return fmt.Errorf("put %s: %w", e.Digest, store.ErrDamaged)
	}
	entries, err := b.List(ctx)
	if err != nil {
		return err
	}
	for _, other := range entries {
		switch {
		case other.Digest == e.Digest:
			e = store.Merge(other, e)
		case other.Reference() == e.Reference():
			return fmt.Errorf("put %s: %w by %s", e.Reference(), store.ErrTaken, other.Digest)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("put %s: %w", e.Reference(), err)
	}
	meta := jetstream.ObjectMeta{Name: objectName(e.Digest), Metadata: map[string]string{entryKey: string(text)}}
	if _, err := b.objects.Put(ctx, meta, strings.NewReader(string(binary))); err != nil {
		return fmt.Errorf("put %s: %w", e.Reference(), err)
	}
	return nil
}

// Get fetches a module by its digest and holds it against that. Errors that wrap store.ErrNotFound and store.ErrDamaged
// say what they do in a folder.
func (b *Bucket) Get(ctx context.Context, digest string) ([]byte, store.Entry, error) {
	info, err := b.objects.GetInfo(ctx, objectName(digest))
	if err != nil {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: %w", digest, told(err))
	}
	if info.Size > maxModule {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: it has %d bytes, expected at most %d", digest, info.Size, maxModule)
	}
	e, err := entryOf(info)
	if err != nil {
		return nil, store.Entry{}, err
	}
	binary, err := b.objects.GetBytes(ctx, objectName(digest))
	if err != nil {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: %w", digest, told(err))
	}
	if store.Digest(binary) != digest {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: %w: its content has the digest %s", digest, store.ErrDamaged,
			store.Digest(binary))
	}
	return binary, e, nil
}

// List returns what there is, by name and version. Objects that are no modules are left out.
func (b *Bucket) List(ctx context.Context) ([]store.Entry, error) {
	infos, err := b.objects.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil, fmt.Errorf("list the module bucket: %w", err)
	}
	var out []store.Entry
	for _, info := range infos {
		if e, err := entryOf(info); err == nil && objectName(e.Digest) == info.Name {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b store.Entry) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return out, nil
}

// Remove removes a module. An error that wraps store.ErrNotFound: it was not there.
func (b *Bucket) Remove(ctx context.Context, digest string) error {
	if err := b.objects.Delete(ctx, objectName(digest)); err != nil {
		return fmt.Errorf("remove %s: %w", digest, told(err))
	}
	return nil
}

// objectName is a digest without the colon, which no subject has.
func objectName(digest string) string { return strings.ReplaceAll(digest, ":", "-") }

func entryOf(info *jetstream.ObjectInfo) (store.Entry, error) {
	var e store.Entry
	if err := json.Unmarshal([]byte(info.Metadata[entryKey]), &e); err != nil {
		return e, fmt.Errorf("read the entry of %s: %w", info.Name, store.ErrDamaged)
	}
	return e, nil
}

func told(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return fmt.Errorf("%w: %w", store.ErrNotFound, err)
	case errors.Is(err, jetstream.ErrDigestMismatch):
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	default:
		return err
	}
}
