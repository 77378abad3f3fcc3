package crash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	crashesDir    = "crashes"
	quarantineDir = "quarantine"
	extension     = ".json"
	// unfinished ends the names of files that are being written.
	unfinished = ".tmp"
)

// disk is what changes files; tests have one that fails.
type disk interface {
	// write puts a file in its place, whole or not at all, and makes its folder if need be.
	write(path string, data []byte) error
	// remove removes a file; one that is not there is removed already.
	remove(path string) error
}

// real is the file system.
type real struct{}

func (real) write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temporary := path + unfinished
	err := writeSynced(temporary, data)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary) // the first error is the one that tells
	}
	return err
}

// writeSynced returns when the data is on the disk: a move must not overtake it.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func (real) remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// numberedFile is a post-mortem's file: the higher the number, the later.
type numberedFile struct {
	name   string
	number uint64
}

func fileName(number uint64) string { return fmt.Sprintf("%08d%s", number, extension) }

// numbered returns a folder's post-mortems, the last one first. A folder that is not there has none.
func numbered(dir string) ([]numberedFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []numberedFile
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), extension)
		number, err := strconv.ParseUint(digits, 10, 63)
		if ok && err == nil && e.Name() == fileName(number) {
			files = append(files, numberedFile{e.Name(), number})
		}
	}
	slices.SortFunc(files, func(a, b numberedFile) int {
		if a.number > b.number {
			return -1
		}
		return 1
	})
	return files, nil
}

// readBounded reads a file of at most that many bytes.
func readBounded(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s: more than %d bytes", path, most)
	}
	return data, nil
}
