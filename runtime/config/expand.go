package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxSecretFile is the largest file that ${file:path} takes.
const maxSecretFile = 64 << 10

// expand returns the scalar's text with ${env:X}, ${file:path} and a template's ${variables} replaced, and whether it
// has a secret now: what came from the environment or a file. $${ stands for ${ itself. What a replacement brings is
// text, and is not looked at again.
func (v value) expand() (text string, secret, ok bool) {
	rest, ok := v.node.Value, true
	var out strings.Builder
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			out.WriteString(rest)
			return out.String(), secret, ok
		}
		if escaped, isEscape := strings.CutSuffix(before, "$"); isEscape {
			out.WriteString(escaped + "${")
			rest = after
			continue
		}
		out.WriteString(before)
		reference, after, closed := strings.Cut(after, "}")
		if !closed {
			v.problem("a ${ without its }, expected ${env:NAME} or ${file:path}, or $${ for the characters themselves")
			return "", false, false
		}
		replacement, isSecret, err := v.r.resolve(reference)
		if err != nil {
			v.problem("%v", err)
			ok = false
		}
		out.WriteString(replacement)
		secret = secret || isSecret
		rest = after
	}
}

func (r *reader) resolve(reference string) (text string, secret bool, err error) {
	kind, name, colon := strings.Cut(reference, ":")
	if variable, ok := r.vars[reference]; ok && !colon {
		return variable.text()
	}
	switch {
	case kind == "env" && name != "":
		text, ok := r.lookup(name)
		if !ok {
			return "", false, fmt.Errorf("the environment has no variable %s", clip(name))
		}
		if !utf8.ValidString(text) {
			return "", false, fmt.Errorf("the variable %s is no UTF-8 text", clip(name))
		}
		return text, true, nil
	case kind == "file" && name != "":
		text, err := r.readFile(r.absolute(name))
		if err != nil {
			return "", false, fmt.Errorf("cannot read ${file:%s}: %w", clip(name), err)
		}
		return text, true, nil
	}
	return "", false, fmt.Errorf("unknown reference ${%s}, expected %s${env:NAME} or ${file:path}, or $${ for the"+
		" characters themselves", clip(reference), r.vars.names())
}

// readSecretFile returns a text file's content without the line end at its end. It takes regular files only, so that a
// pipe cannot hold the start up.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("expected a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", withoutPath(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", withoutPath(err)
	}
	if len(data) > maxSecretFile {
		return "", fmt.Errorf("expected at most %s", formatSize(maxSecretFile))
	}
	if !utf8.Valid(data) {
		return "", errors.New("expected UTF-8 text")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

// withoutPath drops the path of a file error: the message has it as the file wrote it.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
