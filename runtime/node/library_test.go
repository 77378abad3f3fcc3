package node

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// startBucket is a server with an empty bucket.
func startBucket(t *testing.T) *modules.Bucket {
	t.Helper()
	s, err := embedded.Start(embedded.Config{Name: "n1", Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	options, err := s.Admin().Credentials.Options()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(s.URL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	b, err := modules.Open(t.Context(), conn, modules.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, b *modules.Bucket, text, version string, signatures ...signature.Signature) store.Entry {
	t.Helper()
	e := store.Entry{
		Digest: store.Digest([]byte(text)), Name: "modbus", Version: version, Size: int64(len(text)), Signatures: signatures,
	}
	if _, err := b.Put(t.Context(), e, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return e
}

// shelf is a library with a folder of its own, and its log.
type shelf struct {
	*library
	log bytes.Buffer
}

func newShelf(t *testing.T, b *modules.Bucket, trust signature.Keys) *shelf {
	t.Helper()
	return newShelfWith(t, b, trust, "")
}

// newShelfWith has compiled code in a folder.
func newShelfWith(t *testing.T, b *modules.Bucket, trust signature.Keys, cache string) *shelf {
	t.Helper()
	s := new(shelf)
	c := &config.Node{Data: t.TempDir(), Trust: trust}
	loader, err := module.NewLoader(cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(context.Background()) })
	s.library = newLibrary(c, loader, slog.New(slog.NewTextHandler(&s.log, nil)))
	if b != nil {
		s.connect(func(context.Context) (*modules.Bucket, error) { return b, nil })
	}
	return s
}

func (s *shelf) finds(t *testing.T, reference, text string) {
	t.Helper()
	f, err := s.find(t.Context(), reference)
	if err != nil || string(f.Binary) != text || f.Entry.Digest != store.Digest([]byte(text)) {
		t.Errorf("%s: %q, %v", reference, f.Binary, err)
	}
}

// spoil damages what the store has of a module.
func (s *shelf) spoil(t *testing.T, digest string) {
	t.Helper()
	file := filepath.Join(s.store.Dir(), strings.TrimPrefix(digest, "sha256:")+".wasm")
	if err := os.WriteFile(file, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What came from the bucket is in the node's own store from then on, also by its name.
func TestFindInTheBucket(t *testing.T) {
	b := startBucket(t)
	one, two := put(t, b, "one", "1.2.0"), put(t, b, "two", "1.3.0")
	s := newShelf(t, b, nil)
	s.finds(t, "modbus@1.2.0", "one")
	s.finds(t, two.Digest, "two")
	for reference, want := range map[string]error{
		"modbus@1.4.0": store.ErrNotFound, store.Digest([]byte("none")): store.ErrNotFound, "/absent.wasm": fs.ErrNotExist,
	} {
		if _, err := s.find(t.Context(), reference); !errors.Is(err, want) {
			t.Errorf("%s: %v", reference, err)
		}
	}
	s.connect(nil)
	s.finds(t, "modbus@1.2.0", "one")
	s.finds(t, one.Digest, "one")
	s.finds(t, "modbus@1.3.0", "two")
	if _, err := s.find(t.Context(), "modbus@1.4.0"); !errors.Is(err, store.ErrNotFound) || !errors.Is(err, errNoBucket) {
		t.Errorf("without a bucket: %v", err)
	}
}

// Damage is noticed, and mended where the bucket has the module.
func TestDamagedCopy(t *testing.T) {
	b := startBucket(t)
	one := put(t, b, "one", "1.2.0")
	s := newShelf(t, b, nil)
	s.finds(t, "modbus@1.2.0", "one")
	s.spoil(t, one.Digest)
	s.finds(t, "modbus@1.2.0", "one")
	if !strings.Contains(s.log.String(), "the module is damaged") {
		t.Errorf("nothing is said of the damage:\n%s", &s.log)
	}
	s.connect(nil)
	s.finds(t, one.Digest, "one")

	s.spoil(t, one.Digest)
	_, err := s.find(t.Context(), "modbus@1.2.0")
	if !errors.Is(err, store.ErrDamaged) || !errors.Is(err, errNoBucket) {
		t.Errorf("without a bucket: %v", err)
	}
	if f := loadFailure(&config.Channel{Driver: "modbus@1.2.0"}, err); f.Code != failure.IOOther || f.Kind != failure.Fatal {
		t.Errorf("it fails with %v", f)
	}
}

// A store that takes nothing costs the keeping alone.
func TestStoreThatCannotBeUsed(t *testing.T) {
	b := startBucket(t)
	put(t, b, "one", "1.2.0")
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, modulesFolder), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	l := newLibrary(&config.Node{Data: data}, nil, slog.New(slog.NewTextHandler(&log, nil)))
	l.connect(func(context.Context) (*modules.Bucket, error) { return b, nil })
	if f, err := l.find(t.Context(), "modbus@1.2.0"); err != nil || string(f.Binary) != "one" {
		t.Errorf("%q, %v", f.Binary, err)
	}
	if strings.Count(log.String(), "modules are not kept") != 1 {
		t.Errorf("the log has\n%s", &log)
	}
}

// newKey is a key, and what it says of a module.
func newKey(t *testing.T) (public signature.Keys, sign func(digest string) signature.Signature) {
	t.Helper()
	private, text, err := signature.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := signature.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := signature.ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	public = signature.Keys{}
	if _, err := public.Add(pub); err != nil {
		t.Fatal(err)
	}
	return public, func(digest string) signature.Signature {
		s, err := signature.Sign(key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// TestTrust loads a driver that nobody has signed, and then one with a signature wherever that may be.
func TestTrust(t *testing.T) {
	guest, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	digest := store.Digest(guest)
	trusted, sign := newKey(t)
	_, other := newKey(t)
	file := filepath.Join(t.TempDir(), "driver.wasm")
	write(t, filepath.Dir(file), "driver.wasm", guest)
	loads := func(s *shelf, reference string) error {
		m, err := s.load(t.Context(), reference, module.Limits{})
		if err == nil {
			return m.Release(t.Context())
		}
		return err
	}
	refused := func(err error, why string) {
		t.Helper()
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok || f.Code != failure.GrantDenied || f.Kind != failure.Fatal || !errors.Is(err, signature.ErrUntrusted) ||
			!strings.Contains(f.Summary, why) || !strings.Contains(f.Summary, "trusted are "+keyIDs(trusted)) {
			t.Errorf("got %v, want %s", err, why)
		}
	}
	b, cache := startBucket(t), t.TempDir() // it is compiled once
	s := newShelfWith(t, b, trusted, cache)
	refused(loads(s, file), "it is not signed")
	if err := signature.AddFile(file, other(digest)); err != nil {
		t.Fatal(err)
	}
	refused(loads(s, file), "is not trusted")

	put(t, b, string(guest), "1.0.0", other(digest))
	refused(loads(s, "modbus@1.0.0"), "is not trusted") // kept by now, without the signature to come
	put(t, b, string(guest), "1.0.0", sign(digest))
	if err := loads(s, "modbus@1.0.0"); err != nil {
		t.Errorf("signed since, in the bucket: %v", err)
	}
	if err := loads(s, file); err != nil {
		t.Errorf("a file, signed in the bucket: %v", err)
	}

	alone := newShelfWith(t, nil, trusted, cache)
	if err := signature.AddFile(file, sign(digest)); err != nil {
		t.Fatal(err)
	}
	if err := loads(alone, file); err != nil {
		t.Errorf("signed beside the file: %v", err)
	}
	if err := loads(alone, digest); err != nil {
		t.Errorf("by its digest, as it was kept with its signature: %v", err)
	}
	if err := os.WriteFile(file, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(loads(alone, file), "is of another module")
	if err := loads(alone, digest); err != nil {
		t.Errorf("by its digest, after the file has changed: %v", err)
	}
}

// What channels have run from files goes when it is not in use any more, the oldest first.
func TestPruning(t *testing.T) {
	s := newShelf(t, nil, nil)
	dir := t.TempDir()
	var digests []string
	for i := range spareModules + 2 {
		text := strings.Repeat("x", i+1)
		write(t, dir, "driver.wasm", []byte(text))
		f, err := s.find(t.Context(), filepath.Join(dir, "driver.wasm"))
		if err != nil {
			t.Fatal(err)
		}
		s.keep(f, meter)
		digests = append(digests, f.Entry.Digest)
	}
	s.prune(map[string][]string{digests[0]: {"boiler"}})
	for i, digest := range digests {
		if _, err := s.find(t.Context(), digest); (err == nil) != (i != 1) {
			t.Errorf("module %d: %v", i, err)
		}
	}
}
