package node

import (
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

// TestSecrets finds what the schema calls writeOnly, wherever it says so, and what came from the environment.
func TestSecrets(t *testing.T) {
	t.Setenv("SECRET", "from-env")
	m := driver.Metadata{
		Settings: `{
			"type": "object",
			"$defs": {"key": {"type": "string", "writeOnly": true}, "loop": {"$ref": "#/$defs/loop"}},
			"properties": {
				"password": {"type": "string", "writeOnly": true}, "pin": {"type": "integer", "writeOnly": true},
				"short": {"type": "string", "writeOnly": true}, "open": {"type": "string"},
				"keys": {"type": "array", "items": {"$ref": "#/$defs/key"}},
				"pair": {"type": "array", "prefixItems": [{"type": "string"}, {"$ref": "#/$defs/key"}]},
				"loop": {"$ref": "#/$defs/loop"},
				"login": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"word": {"$ref": "#/$defs/key"}}}]},
				"whole": {"type": "object", "writeOnly": true}
			},
			"patternProperties": {"^x-": {"$ref": "#/$defs/key"}}
		}`,
		DeviceSettings: `{"type": "object", "additionalProperties": {"type": "string", "writeOnly": true}}`,
		Address:        `{"type": "object", "properties": {"token": {"type": "string", "writeOnly": true}}}`,
	}
	c := parse(t, `
    driver: meter.wasm
    settings:
      {password: hush, pin: 1234, short: ab, open: plain, keys: [key-1, key-2], pair: [first, second], loop: [round],
       login: {word: inside}, whole: {a: {b: deep}, c: 3.25}, x-any: pattern, list: [a, "${env:SECRET}"]}
    devices:
      pump: {settings: {community: private}, points: {a: {address: {token: bearer, unit: 7}, type: bool}}}
`)
	var got []string
	for _, s := range secretsOf(m, c.Channels[0]) {
		got = append(got, string(s))
	}
	const want = "1234 3.25 bearer deep from-env hush inside key-1 key-2 pattern private second"
	if text := strings.Join(got, " "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if s := secretsOf(driver.Metadata{}, parse(t, "    driver: meter.wasm\n    settings: {password: hush}\n").Channels[0]); len(s) != 0 {
		t.Errorf("a driver without schemas has %q", s)
	}
}
