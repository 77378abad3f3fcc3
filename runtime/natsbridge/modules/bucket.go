// Package modules keeps drivers in a NATS object store, where every node of the account finds them.
//
// The bucket is shared by all nodes. An object is named after the module's digest, and whoever fetches one holds it
// against that: the server need not be trusted with more than having it.
//
// Reading takes messages one by one and makes no consumer: whoever may make one can have it deliver into a command
// (docs/security.md). Writing is what the client library does with an object store.
package modules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
)

// Name is the bucket's name, Stream that of its stream: OBJ_ and the name (ADR-20). MetaSubjects are where what is known
// of objects is published, whenever one comes, changes or goes.
const (
	Name         = "drover-modules"
	Stream       = message.ModuleStream
	MetaSubjects = "$O." + Name + ".M.>"
)

// entryKey is the metadata of an object that has its store.Entry, as JSON.
const entryKey = "drover-entry"

// maxModule is the largest module that is fetched: what a node would refuse to load is not worth its way.
const maxModule = 64 << 20

// Bucket is the object store. Its methods may be called from any goroutine; each ends with its ctx.
type Bucket struct {
	objects jetstream.ObjectStore
	// stream is what the object store is made of (ADR-20).
	stream jetstream.Stream
}

// Options say which bucket is meant. The zero value is that of the server that is connected to.
type Options struct {
	// Domain is the JetStream domain that has the bucket; empty is the server's own.
	Domain string
	// Create makes the bucket when it is not there.
	Create bool
}

// Open opens the bucket. An error that wraps store.ErrNotFound: there is none. The connection stays the caller's.
func Open(ctx context.Context, conn *nats.Conn, o Options) (*Bucket, error) {
	b, err := open(ctx, conn, o)
	if errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		err = fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the module bucket: %w", err)
	}
	return b, nil
}

func open(ctx context.Context, conn *nats.Conn, o Options) (*Bucket, error) {
	js, err := jetstream.New(conn)
	if o.Domain != "" {
		js, err = jetstream.NewWithDomain(conn, o.Domain)
	}
	if err != nil {
		return nil, err
	}
	objects, err := js.ObjectStore(ctx, Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) && o.Create {
		objects, err = js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: Name, Description: "Drover's driver modules, by digest",
		})
	}
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, Stream)
	return &Bucket{objects, stream}, err
}

// Put adds a module, or gives one that is there the signatures that it has not, and returns what is known of it then. The
// entry's digest must be the binary's. An entry with a path does not claim its name and version: the module is found by
// its digest alone, until it is put without. An error that wraps store.ErrTaken: another module has the same name and
// version.
func (b *Bucket) Put(ctx context.Context, e store.Entry, binary []byte) (store.Entry, error) {
	if store.Digest(binary) != e.Digest {
		return e, fmt.Errorf("put %s: %w", e.Digest, store.ErrDamaged)
	}
	entries, err := b.List(ctx)
	if err != nil {
		return e, err
	}
	for _, other := range entries {
		if other.Digest != e.Digest && e.Path == "" && other.Path == "" && other.Reference() == e.Reference() {
			return e, fmt.Errorf("put %s: %w by %s", e.Reference(), store.ErrTaken, other.Digest)
		}
	}
	for _, other := range entries {
		switch {
		case other.Digest != e.Digest:
		case other.Path != "" && e.Path == "":
			e = store.Merge(e, other)
		default:
			e = store.Merge(other, e)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return e, fmt.Errorf("put %s: %w", e.Reference(), err)
	}
	meta := jetstream.ObjectMeta{Name: objectName(e.Digest), Metadata: map[string]string{entryKey: string(text)}}
	if _, err := b.objects.Put(ctx, meta, bytes.NewReader(binary)); err != nil {
		return e, fmt.Errorf("put %s: %w", e.Reference(), err)
	}
	return e, nil
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
	binary, err := b.chunks(ctx, info)
	if err != nil {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: %w", digest, err)
	}
	if store.Digest(binary) != digest {
		return nil, store.Entry{}, fmt.Errorf("fetch %s: %w: its content has the digest %s", digest, store.ErrDamaged,
			store.Digest(binary))
	}
	return binary, e, nil
}

// chunks reads an object's content.
func (b *Bucket) chunks(ctx context.Context, info *jetstream.ObjectInfo) ([]byte, error) {
	subject := "$O." + Name + ".C." + info.NUID
	content := make([]byte, 0, info.Size)
	for next, left := uint64(1), info.Chunks; left > 0; left-- {
		chunk, err := b.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return nil, fmt.Errorf("%w: %d of its %d parts are missing", store.ErrDamaged, left, info.Chunks)
		case err != nil:
			return nil, err
		case uint64(len(content)+len(chunk.Data)) > info.Size:
			return nil, fmt.Errorf("%w: it has more than its %d bytes", store.ErrDamaged, info.Size)
		}
		content, next = append(content, chunk.Data...), chunk.Sequence+1
	}
	return content, nil
}

// Entry returns what is known of a module. An error that wraps store.ErrNotFound: it is not there.
func (b *Bucket) Entry(ctx context.Context, digest string) (store.Entry, error) {
	info, err := b.objects.GetInfo(ctx, objectName(digest))
	if err != nil {
		return store.Entry{}, fmt.Errorf("look up %s: %w", digest, told(err))
	}
	return entryOf(info)
}

// List returns what there is, by name and version. Objects that are no modules are left out.
func (b *Bucket) List(ctx context.Context) ([]store.Entry, error) {
	var out []store.Entry
	for next := uint64(1); ; {
		m, err := b.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(MetaSubjects))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list the module bucket: %w", err)
		}
		next = m.Sequence + 1
		var info jetstream.ObjectInfo
		if err := json.Unmarshal(m.Data, &info); err != nil || info.Deleted {
			continue
		}
		if e, err := entryOf(&info); err == nil && objectName(e.Digest) == info.Name {
			out = append(out, e)
		}
	}
	store.Sort(out)
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
