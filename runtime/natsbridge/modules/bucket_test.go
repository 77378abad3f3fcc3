package modules

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

func connect(t *testing.T) (*nats.Conn, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(),
		NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not listen")
	}
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn, ctx
}

func entry(binary []byte, version string) store.Entry {
	return store.Entry{Digest: store.Digest(binary), Name: "modbus", Version: version, Size: int64(len(binary)), ABI: "0.1.0"}
}

func TestBucket(t *testing.T) {
	conn, ctx := connect(t)
	if _, err := Open(ctx, conn, Options{}); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("a bucket that nobody made: %v", err)
	}
	b, err := Open(ctx, conn, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := b.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("an empty bucket: %v, %v", list, err)
	}
	one, two := bytes.Repeat([]byte("one"), 1<<18), []byte("two") // the first in several messages
	for version, binary := range map[string][]byte{"1.2.0": one, "1.3.0": two} {
		if _, err := b.Put(ctx, entry(binary, version), binary); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(ctx, conn, Options{}) // as another node does
	if err != nil {
		t.Fatal(err)
	}
	list, err := again.List(ctx)
	if err != nil || len(list) != 2 || list[0].Reference() != "modbus@1.2.0" || list[1].Digest != store.Digest(two) {
		t.Fatalf("%+v, %v", list, err)
	}
	binary, e, err := again.Get(ctx, store.Digest(one))
	if err != nil || !bytes.Equal(binary, one) || e.Size != int64(len(one)) {
		t.Errorf("%d bytes, %+v, %v", len(binary), e, err)
	}
	if _, err := again.Put(ctx, entry([]byte("three"), "1.3.0"), []byte("three")); !errors.Is(err, store.ErrTaken) {
		t.Errorf("another module of that version: %v", err)
	}
	if _, err := again.Put(ctx, entry(two, "1.4.0"), []byte("three")); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("an entry of another module: %v", err)
	}
	if err := again.Remove(ctx, store.Digest(one)); err != nil {
		t.Error(err)
	}
	if _, _, err := b.Get(ctx, store.Digest(one)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a module that was removed: %v", err)
	}
	if err := b.Remove(ctx, store.Digest([]byte("none"))); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removing what is not there: %v", err)
	}
}

func TestSignaturesAreAdded(t *testing.T) {
	conn, ctx := connect(t)
	b, err := Open(ctx, conn, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	binary := []byte("one")
	for _, key := range []string{"a", "b", "a"} {
		e := entry(binary, "1.2.0")
		e.Signatures = []signature.Signature{{Digest: e.Digest, Key: key, Value: []byte{1}}}
		if _, err := b.Put(ctx, e, binary); err != nil {
			t.Fatal(err)
		}
	}
	if _, e, err := b.Get(ctx, store.Digest(binary)); err != nil || len(e.Signatures) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

// What somebody else puts into the bucket under a module's name is not taken for it.
func TestForeignObjects(t *testing.T) {
	conn, ctx := connect(t)
	b, err := Open(ctx, conn, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := js.ObjectStore(ctx, Name)
	if err != nil {
		t.Fatal(err)
	}
	digest := store.Digest([]byte("one"))
	if _, err := objects.PutBytes(ctx, "notes.txt", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	meta := jetstream.ObjectMeta{Name: objectName(digest), Metadata: map[string]string{entryKey: `{"digest":"` + digest + `"}`}}
	if _, err := objects.Put(ctx, meta, bytes.NewReader([]byte("other"))); err != nil {
		t.Fatal(err)
	}
	if list, err := b.List(ctx); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if binary, _, err := b.Get(ctx, digest); !errors.Is(err, store.ErrDamaged) || binary != nil {
		t.Errorf("%q, %v", binary, err)
	}
}
