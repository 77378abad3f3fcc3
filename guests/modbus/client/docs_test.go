package client

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocsHaveAll holds that the page for users names every setting, code and gauge.
func TestDocsHaveAll(t *testing.T) {
	page, err := os.ReadFile("../../../docs/modbus.md")
	if err != nil {
		t.Fatal(err)
	}
	names := append(keys(reflect.TypeFor[settings]()), keys(reflect.TypeFor[deviceSettings]())...)
	for _, f := range newFigures() {
		names = append(names, f.F0)
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("setting or gauge %s is missing", name)
		}
	}
	for _, c := range codes() {
		if !strings.Contains(string(page), c.Code) && !strings.HasPrefix(c.Code, "exception-") {
			t.Errorf("code %s is missing", c.Code)
		}
	}
}
