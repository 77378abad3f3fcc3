package module

import (
	"errors"
	"fmt"
	"strings"

	"github.com/droverhq/drover/abi/driver"
)

// What a driver says of itself is kept for as long as it is loaded.
const (
	// maxName is how long the name of a driver, of a version, or of a code may be.
	maxName = 64
	// maxText is how long a line for people may be.
	maxText = 1024
	// maxCodes is how many failure codes of its own a driver may declare.
	maxCodes = 256
	// maxSchema is how long each of its JSON Schemas may be.
	maxSchema = 256 << 10
)

// checkMetadata holds a driver to what lifecycle.wit says of its names, and to sizes that nobody needs more of.
func checkMetadata(m driver.Metadata) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(isName(m.Name), "the name %.80q is not of the form [a-z0-9][a-z0-9-]*, at most %d characters", m.Name, maxName)
	check(strings.Count(m.Version, ".") >= 2 && len(m.Version) <= maxName,
		"the version %.80q is no semantic version of at most %d characters", m.Version, maxName)
	check(len(m.Summary) <= maxText, "the summary has %d bytes, more than %d", len(m.Summary), maxText)
	check(len(m.Codes) <= maxCodes, "%d failure codes, more than %d", len(m.Codes), maxCodes)
	for _, c := range m.Codes[:min(len(m.Codes), maxCodes)] {
		check(isName(c.Code), "the code %.80q is not of the form [a-z0-9-]+", c.Code)
		check(len(c.Meaning) <= maxText, "the meaning of the code %.80q has %d bytes, more than %d", c.Code, len(c.Meaning), maxText)
	}
	fits := func(name, schema string) {
		check(len(schema) <= maxSchema, "the schema of its %s has %d bytes, more than %d", name, len(schema), maxSchema)
	}
	fits("settings", m.Settings)
	fits("device-settings", m.DeviceSettings)
	fits("address", m.Address)
	return errors.Join(errs...)
}

func isName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
