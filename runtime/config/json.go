package config

import (
	"encoding/json"
	"strings"
)

// JSON is a part of the configuration that the driver gives its meaning.
type JSON struct {
	// Raw is one JSON value. Settings that the file leaves out are {}.
	Raw json.RawMessage
	// Secrets are the JSON Pointers (RFC 6901) of the strings that came from ${env:X} or ${file:path}: shown nowhere.
	Secrets []string

	path   string
	at     Position
	places map[string]Position
}

// Position returns where the file has the value that the JSON Pointer names; what the file does not have is where the
// nearest value around it is.
func (j *JSON) Position(pointer string) Position {
	for pointer != "" {
		if p, ok := j.places[pointer]; ok {
			return p
		}
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
	}
	return j.at
}

// Problem returns the problem of the value that the JSON Pointer names.
func (j *JSON) Problem(pointer, message string) Problem {
	at := j.Position(pointer)
	path := j.path
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		path = join(path, unescape(token))
	}
	return Problem{File: at.File, Line: at.Line, Column: at.Column, Path: path, Message: message}
}

func escape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// join appends a key to a path such as channels.boiler.settings.
func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}
