package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Local is what a running node leaves for the command line of the same user: where its server is, and how to be let in.
// The file is readable by that user only.
type Local struct {
	Node        string           `json:"node"`
	Epoch       string           `json:"epoch"`
	URL         string           `json:"url"`
	Credentials dial.Credentials `json:"credentials"`
	InboxPrefix string           `json:"inbox_prefix,omitempty"`
	// Prefix and CallPrefix are the node's.
	Prefix     string `json:"prefix,omitempty"`
	CallPrefix string `json:"call_prefix,omitempty"`
}

// Options returns how to connect to the node.
func (l Local) Options() Options {
	return Options{
		URL: l.URL, Credentials: l.Credentials, InboxPrefix: l.InboxPrefix, Prefix: l.Prefix, CallPrefix: l.CallPrefix,
	}
}

// ErrNoLocalNode means that no node of this user has left its file.
var ErrNoLocalNode = fmt.Errorf("no local node: %w", ErrUnreachable)

// LocalNodes returns what nodes of this user have left, sorted by name. A node that was killed leaves its file as well:
// whoever uses one asks whether the node still answers. Files that cannot be read are left out.
func LocalNodes() ([]Local, error) {
	dir, err := localDir()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for local nodes: %w", err)
	}
	var nodes []Local
	for _, file := range files {
		if l, err := readLocal(file); err == nil {
			nodes = append(nodes, l)
		}
	}
	slices.SortFunc(nodes, func(a, b Local) int { return cmp.Compare(a.Node, b.Node) })
	return nodes, nil
}

func readLocal(file string) (Local, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Local{}, err
	}
	l, err := message.Decode[Local](text)
	if err == nil && (!message.ValidName(l.Node) || l.URL == "") {
		err = message.ErrMalformed
	}
	return l, err
}

// WriteLocal leaves a node's file; the node removes it with RemoveLocal when it stops. It replaces the one of an
// earlier start.
func WriteLocal(l Local) error {
	if !message.ValidName(l.Node) {
		return fmt.Errorf("leave the local node's file: node %q: no name", l.Node)
	}
	if err := writeLocal(l); err != nil {
		return fmt.Errorf("leave the local node's file: %w", err)
	}
	return nil
}

func writeLocal(l Local) error {
	dir := localPath()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := localDir(); err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	// Written beside and renamed, so that nobody reads half of it; CreateTemp makes it 0600.
	beside, err := os.CreateTemp(dir, l.Node+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name()) //nolint:errcheck // it is gone when all went well
	_, err = beside.Write(text)
	if err := errors.Join(err, beside.Close()); err != nil {
		return err
	}
	return os.Rename(beside.Name(), filepath.Join(dir, l.Node+".json"))
}

// RemoveLocal removes the node's file if it is still that of this epoch.
func RemoveLocal(node, epoch string) error {
	file := filepath.Join(localPath(), node+".json")
	l, err := readLocal(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && l.Epoch != epoch:
		return nil
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("remove the local node's file: %w", err)
	}
	return nil
}

// localDir returns the directory, which must be ours alone: in a directory for everybody, somebody else may have made
// it, to have the command line talk to a node of his.
func localDir() (string, error) {
	dir := localPath()
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || !private(info) {
		return "", fmt.Errorf("%s is not a directory of this user's alone", dir)
	}
	return dir, nil
}

// localPath is $XDG_RUNTIME_DIR/drover, or drover-<uid> in the directory for temporary files.
func localPath() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "drover")
	}
	return filepath.Join(os.TempDir(), "drover-"+strings.TrimPrefix(strconv.Itoa(os.Getuid()), "-"))
}
