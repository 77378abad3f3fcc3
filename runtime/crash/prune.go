package crash

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// prune removes the oldest post-mortems of all channels until they are within the bound, those of channels that are
// configured no more included. Files that were being written when the node died are removed, too.
func (s *Store) prune() error {
	type file struct {
		path    string
		size    int64
		changed time.Time
	}
	var files []file
	var total int64
	var errs []error
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // what cannot be looked at is not ours to remove
		}
		if strings.HasSuffix(path, extension+unfinished) {
			errs = append(errs, s.disk.remove(path))
			return nil
		}
		if info, err := entry.Info(); err == nil && strings.HasSuffix(path, extension) {
			files = append(files, file{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return nil
	}
	if err := filepath.WalkDir(filepath.Join(s.config.Dir, crashesDir), walk); err != nil {
		return err
	}
	slices.SortStableFunc(files, func(a, b file) int { return a.changed.Compare(b.changed) })
	for len(files) > 1 && total > s.config.TotalBytes {
		errs = append(errs, s.disk.remove(files[0].path))
		total -= files[0].size
		files = files[1:]
	}
	return errors.Join(errs...)
}
