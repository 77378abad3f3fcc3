package config

import "strings"

// JSON is a part of the configuration that the driver gives its meaning.
type JSON struct {
	// Raw is one JSON value. Settings that the file leaves out are {}.
	Raw string

	at Position
	// inner is nil for a value that has nothing in it.
	inner *inner
}

// inner is what is known of a value besides its text: a few have it, of very many.
type inner struct {
	secrets []string
	places  map[string]Position
}

// Secrets returns the JSON Pointers (RFC 6901) of the strings that came from ${env:X} or ${file:path}: shown nowhere.
func (j *JSON) Secrets() []string {
	if j.inner == nil {
		return nil
	}
	return j.inner.secrets
}

// Position returns where the file has the value that the JSON Pointer names; what the file does not have is where the
// nearest value around it is.
func (j *JSON) Position(pointer string) Position {
	for pointer != "" {
		if j.inner == nil {
			break
		}
		if p, ok := j.inner.places[pointer]; ok {
			return p
		}
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
	}
	return j.at
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
