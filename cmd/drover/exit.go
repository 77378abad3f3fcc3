package main

import (
	"errors"
	"fmt"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// The exit codes, which the help documents.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitNotFound    = 4
	exitRefused     = 5
)

const exitHelp = `Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 the node cannot be reached, 4 no such channel or point,
5 refused (grant, ABI, signature, role).`

// codedError is an error that knows its exit code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// coded gives err an exit code; nil stays nil.
func coded(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code: code, err: err}
}

// usagef returns an error about how the command was called.
func usagef(format string, args ...any) error { return coded(exitUsage, fmt.Errorf(format, args...)) }

// errReported is wrapped by errors whose text has been printed.
var errReported = errors.New("reported")

// exitCode returns what the process ends with.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*codedError](err); ok {
		return e.code
	}
	if _, ok := errors.AsType[config.Problems](err); ok {
		return exitUsage
	}
	if e, ok := errors.AsType[*message.Error](err); ok {
		return answerCode(e.Status)
	}
	return exitFailed
}

// answerCode returns the exit code of a node's refusal.
func answerCode(status int) int {
	switch status {
	case 404:
		return exitNotFound
	case 401, 403:
		return exitRefused
	}
	return exitFailed
}
