// Package store keeps drivers by their digests in a folder, with what is known of them.
//
// A module is one file named after its digest, and a file of JSON beside it. Both are written whole or not at all, and
// what is read is held against the digest each time: a damaged module is found before it runs.
package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/store/signature"
)

// The errors that callers tell apart.
var (
	// ErrNotFound: the store has no such module.
	ErrNotFound = errors.New("no such module")
	// ErrDamaged: what lies in the store is not what was added.
	ErrDamaged = errors.New("the module is damaged")
	// ErrTaken: the name and version belong to another module.
	ErrTaken = errors.New("the name and version are taken")
	// ErrAmbiguous: more than one module fits.
	ErrAmbiguous = errors.New("more than one module fits")
)

// Entry is a module and what is known of it.
type Entry struct {
	// Digest is "sha256:" and hexadecimal.
	Digest string `json:"digest"`
	// Name and Version are what the driver says of itself.
	Name    string `json:"name"`
	Version string `json:"version"`
	// ABI is the version of drover:driver that it was built for.
	ABI string `json:"abi"`
	// Size is in bytes.
	Size  int64     `json:"size"`
	Added time.Time `json:"added"`
	// Path is the file that the module was read from, for one that is kept because a channel runs it from there (Keep).
	// Empty for one that was added: only those have a name and version that is theirs alone, and are found by it.
	Path       string                `json:"path,omitempty"`
	Signatures []signature.Signature `json:"signatures,omitempty"`
}

// Reference is the entry as configurations name it: name@version.
func (e Entry) Reference() string { return e.Name + "@" + e.Version }

// SignedBy are the keys that claim to have signed the module, by their names. Nobody has checked that.
func (e Entry) SignedBy() []string {
	var out []string
	for _, s := range e.Signatures {
		if !slices.Contains(out, s.Key) {
			out = append(out, s.Key)
		}
	}
	slices.Sort(out)
	return out
}

// Store is a folder of modules. Its methods may be called from any goroutine; other processes may read the folder.
type Store struct {
	dir string
	mu  sync.Mutex
}

// Open returns the store in a folder, which it makes with mode 0700.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the module store: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Dir returns the store's folder.
func (s *Store) Dir() string { return s.dir }

// Digest returns a binary's digest as the store names it.
func Digest(binary []byte) string {
	sum := sha256.Sum256(binary)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Add adds a module. Digest, Size and Added of the entry are filled in. One that is there keeps its time and gets the
// signatures that it has not; added is false then. ErrTaken: another module has the same name and version.
func (s *Store) Add(binary []byte, e Entry) (entry Entry, added bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Digest, e.Size, e.Added, e.Path = Digest(binary), int64(len(binary)), time.Now().UTC(), ""
	entries, _ := s.list() // one that cannot be read is in nobody's way, and replaced when it is this one
	for _, other := range entries {
		switch {
		case other.Digest == e.Digest && other.Path == "":
			other = Merge(other, e)
			return other, false, s.write(binary, other)
		case other.Digest == e.Digest:
			e = Merge(e, other)
		case other.Path == "" && other.Reference() == e.Reference():
			return Entry{}, false, fmt.Errorf("add %s: %w by %s", e.Reference(), ErrTaken, other.Digest)
		}
	}
	return e, true, s.write(binary, e)
}

// keptFresh is how old the time of a module that is kept may become.
const keptFresh = 24 * time.Hour

// Keep keeps a module that a channel runs from the file e.Path, so that it is found by its digest when the file has
// changed. One that was added stays so. Added is when it was last kept, to the day.
func (s *Store) Keep(binary []byte, e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Digest, e.Size, e.Added = Digest(binary), int64(len(binary)), time.Now().UTC()
	have, err := s.entry(e.Digest)
	if err == nil {
		fresh := have.Path == "" || have.Path == e.Path && e.Added.Sub(have.Added) < keptFresh
		merged := Merge(have, e)
		if _, err := s.Read(e.Digest); err == nil && fresh && len(merged.Signatures) == len(have.Signatures) {
			return nil
		}
		if have.Path != "" {
			merged.Path, merged.Added = e.Path, e.Added
		}
		e = merged
	}
	return s.write(binary, e)
}

// Prune removes modules that are kept (Keep) and that used says are not in use, but for the most recent ones. It returns
// how many those were. What was added stays.
func (s *Store) Prune(used func(digest string) bool, most int) (removed int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, _ := s.list() // what cannot be read is left alone
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.Path == "" || used(e.Digest) })
	slices.SortFunc(entries, func(a, b Entry) int { return b.Added.Compare(a.Added) })
	for _, e := range entries[min(most, len(entries)):] {
		if err := s.remove(e.Digest); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// Merge returns the entry of a module that is there when it is added again: with the signatures of both.
func Merge(have, again Entry) Entry {
	have.Signatures = slices.Clip(have.Signatures)
	for _, m := range again.Signatures {
		same := func(s signature.Signature) bool { return s.Key == m.Key && slices.Equal(s.Value, m.Value) }
		if !slices.ContainsFunc(have.Signatures, same) {
			have.Signatures = append(have.Signatures, m)
		}
	}
	return have
}

// write writes the module first: an entry has its module.
func (s *Store) write(binary []byte, e Entry) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("add %s: %w", e.Reference(), err)
	}
	if err := WriteFile(s.path(e.Digest, modules), binary); err != nil {
		return fmt.Errorf("add %s: %w", e.Reference(), err)
	}
	if err := WriteFile(s.path(e.Digest, entries), append(text, '\n')); err != nil {
		return fmt.Errorf("add %s: %w", e.Reference(), err)
	}
	return nil
}

// Read returns a module. ErrDamaged: it is not what was added. It may be nil when the error is not.
func (s *Store) Read(digest string) ([]byte, error) {
	if !IsDigest(digest) {
		return nil, fmt.Errorf("read %q: %w", digest, ErrNotFound)
	}
	binary, err := os.ReadFile(s.path(digest, modules))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read %s: %w", digest, ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", digest, err)
	case Digest(binary) != digest:
		return nil, fmt.Errorf("read %s: %w: its content has the digest %s", digest, ErrDamaged, Digest(binary))
	}
	return binary, nil
}

// Find returns the module that a reference names: name@version, a digest, or the beginning of one that is 8 digits or
// longer. ErrAmbiguous: it fits more than one.
func (s *Store) Find(reference string) (Entry, error) {
	entries, err := s.List()
	e, found := Find(entries, reference)
	if errors.Is(found, ErrNotFound) { // it may be the one that cannot be read
		found = errors.Join(found, err)
	}
	return e, found
}

// Find returns the one of some modules that a reference names, as Store.Find does.
func Find(entries []Entry, reference string) (Entry, error) {
	var found []Entry
	for _, e := range entries {
		if e.Path == "" && e.Reference() == reference || isShort(reference) && strings.HasPrefix(e.Digest, reference) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return Entry{}, fmt.Errorf("find %s: %w", reference, ErrNotFound)
	case 1:
		return found[0], nil
	default:
		return Entry{}, fmt.Errorf("find %s: %w: %s and %s", reference, ErrAmbiguous, found[0].Digest, found[1].Digest)
	}
}

// List returns what there is, by name and version. Entries that cannot be read are left out; their errors are joined.
func (s *Store) List() ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list()
}

func (s *Store) list() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the modules: %w", err)
	}
	var out []Entry
	var errs []error
	for _, f := range files {
		digest, ok := strings.CutSuffix(f.Name(), entries)
		if !ok || !IsDigest(prefix+digest) {
			continue
		}
		e, err := s.entry(prefix + digest)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, e)
	}
	Sort(out)
	return out, errors.Join(errs...)
}

// Sort orders modules by name, version and digest.
func Sort(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Digest, b.Digest))
	})
}

func (s *Store) entry(digest string) (Entry, error) {
	var e Entry
	text, err := os.ReadFile(s.path(digest, entries))
	if err != nil {
		return e, fmt.Errorf("read the entry of %s: %w", digest, err)
	}
	if err := json.Unmarshal(text, &e); err != nil || e.Digest != digest {
		return e, fmt.Errorf("read the entry of %s: %w", digest, ErrDamaged)
	}
	return e, nil
}

// Remove removes a module. ErrNotFound: it was not there.
func (s *Store) Remove(digest string) error {
	if !IsDigest(digest) {
		return fmt.Errorf("remove %q: %w", digest, ErrNotFound)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(digest)
}

func (s *Store) remove(digest string) error {
	err := os.Remove(s.path(digest, entries))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w", ErrNotFound)
	}
	if gone := os.Remove(s.path(digest, modules)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", digest, err)
	}
	return nil
}

const (
	prefix  = "sha256:"
	modules = ".wasm"
	entries = ".json"
)

// path is where a file of a module lies. The digest is one.
func (s *Store) path(digest, kind string) string {
	return filepath.Join(s.dir, strings.TrimPrefix(digest, prefix)+kind)
}

// IsDigest says whether a reference is a whole digest.
func IsDigest(s string) bool { return isShort(s) && len(s) == len(prefix)+2*sha256.Size }

func isShort(s string) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	return ok && len(digits) >= 8 && strings.Trim(digits, "0123456789abcdef") == ""
}
