package config

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bundle is a configuration as it travels to a node and is kept there: the text of its file and of all that this names,
// as they were written. ${env:X} and ${file:path} are still in there: they are replaced where it is parsed, so that no
// secret travels.
type Bundle struct {
	// File is the path that was given to Collect, for messages. Dir is its folder, absolute: what relative paths are
	// relative to.
	File string `json:"file"`
	Dir  string `json:"dir"`
	// Files are File and, by their absolute paths, those that it names.
	Files []BundledFile `json:"files"`
	// Pins are the digests that the drivers had, by their absolute paths, where the configuration was collected. One that
	// could not be read there has none.
	Pins map[string]string `json:"pins,omitempty"`
}

// BundledFile is a file of a Bundle.
type BundledFile struct {
	Path string `json:"path"`
	// Text is what it has; Bytes is set in its place where that is no UTF-8 text.
	Text  string `json:"text,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
	// Problem is why it could not be read.
	Problem string `json:"problem,omitempty"`
}

// Collect reads the configuration in a file with everything that it names. What is wrong with it is left to Parse, which
// may know more than the place where it is collected: the error is about the file itself.
func Collect(path string) (*Bundle, error) {
	b, _, err := LoadBundle(path)
	if b == nil {
		return nil, err
	}
	return b, nil
}

// LoadBundle is Load and Collect at once: the node is what the bundle's Parse would return, each file was read once, and the
// bundle has what was parsed. The error is Problems when the file could be read; the bundle is not nil then.
func LoadBundle(path string) (*Bundle, *Node, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	b := &Bundle{File: path, Dir: dir}
	b.add(path, data, nil)
	r := newReader(path, dir)
	r.load = func(path string) ([]byte, error) {
		if slices.ContainsFunc(b.Files[1:], func(f BundledFile) bool { return f.Path == path }) {
			return b.load(path) // it may be another by now
		}
		data, err := readConfigFile(path)
		b.add(path, data, err)
		return data, err
	}
	n := r.read(data)
	if n != nil {
		b.pin(n)
	}
	n, err = r.whole(n)
	return b, n, err
}

func (b *Bundle) add(path string, data []byte, err error) {
	f := BundledFile{Path: path}
	switch {
	case err != nil:
		f.Problem = err.Error()
	case utf8.Valid(data):
		f.Text = string(data)
	default:
		f.Bytes = data
	}
	b.Files = append(b.Files, f)
}

// data is what the file has.
func (f *BundledFile) data() []byte {
	if f.Bytes != nil {
		return f.Bytes
	}
	return []byte(f.Text)
}

// pin notes the digests of the drivers that are files here.
func (b *Bundle) pin(n *Node) {
	for _, c := range n.Channels {
		if _, known := b.Pins[c.Driver]; known || !filepath.IsAbs(c.Driver) {
			continue
		}
		if digest, err := DigestOf(c.Driver); err == nil {
			if b.Pins == nil {
				b.Pins = make(map[string]string)
			}
			b.Pins[c.Driver] = digest
		}
	}
}

// DigestOf returns the digest of a regular file: "sha256:" and hexadecimal.
func DigestOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// Parse reads the configuration, from the bundle alone but for secrets. The error is Problems, the same as those of Load.
func (b *Bundle) Parse() (*Node, error) {
	r := newReader(b.File, b.Dir)
	r.load, r.glob = b.load, b.glob
	return r.parse(b.Files[0].data())
}

// load is a file of the bundle.
func (b *Bundle) load(path string) ([]byte, error) {
	for _, f := range b.Files[1:] {
		switch {
		case f.Path != path:
		case f.Problem != "":
			return nil, errors.New(f.Problem)
		default:
			return f.data(), nil
		}
	}
	return nil, withoutPath(&fs.PathError{Err: fs.ErrNotExist})
}

// glob returns the files of the bundle that a pattern names.
func (b *Bundle) glob(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil { // as filepath.Glob does
		return nil, err
	}
	var paths []string
	for _, f := range b.Files {
		match, err := filepath.Match(pattern, f.Path)
		if err != nil {
			return nil, err
		}
		if match && !slices.Contains(paths, f.Path) {
			paths = append(paths, f.Path)
		}
	}
	return paths, nil
}

// bundleVersion is that of the form that Pack writes.
const bundleVersion = 1

// packed is what Pack writes.
type packed struct {
	Version int `json:"version"`
	*Bundle
}

// Pack returns the bundle as it travels: JSON, compressed (RFC 1952). Equal bundles have equal bytes.
func (b *Bundle) Pack() ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(packed{bundleVersion, b}), z.Close()); err != nil {
		return nil, fmt.Errorf("pack the configuration: %w", err)
	}
	return out.Bytes(), nil
}

// mostPacked bounds what is unpacked: JSON has up to six bytes for one.
const mostPacked = 6*maxBytes + 1<<20

// Unpack reads what Pack wrote.
func Unpack(data []byte) (*Bundle, error) {
	b, err := unpack(data)
	if err != nil {
		return nil, fmt.Errorf("unpack the configuration: %w", err)
	}
	return b, nil
}

func unpack(data []byte) (*Bundle, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, mostPacked+1))
	if err != nil {
		return nil, err
	}
	if len(text) > mostPacked {
		return nil, fmt.Errorf("it has more than %s", formatSize(mostPacked))
	}
	p := packed{Bundle: new(Bundle)}
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	switch {
	case p.Version != bundleVersion:
		return nil, fmt.Errorf("its version is %d, expected %d", p.Version, bundleVersion)
	case p.Bundle == nil || len(p.Files) == 0 || p.Files[0].Path != p.File || p.Files[0].Problem != "":
		return nil, errors.New("it has no file")
	case !filepath.IsAbs(p.Dir):
		return nil, fmt.Errorf("its folder %s is no absolute path on this system", strings.ToValidUTF8(clip(p.Dir), ""))
	}
	return p.Bundle, nil
}
