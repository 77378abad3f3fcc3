package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/configuration.md has a section for each object, whose table has each key that the parser knows, and no other.
func TestReferenceIsComplete(t *testing.T) {
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|")
	sections := map[string][]string{}
	for section := range strings.SplitSeq(string(data), "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		for _, m := range row.FindAllStringSubmatch(body, -1) {
			sections[title] = append(sections[title], m[1])
		}
		slices.Sort(sections[title])
	}
	maps.DeleteFunc(sections, func(_ string, rows []string) bool { return len(rows) == 0 })
	known := map[string]keys{
		"The file":                               nodeKeys(nil),
		"nats":                                   natsKeys(nil, nil, &NATS{}),
		"nats.embedded":                          embeddedKeys(nil),
		"nats.embedded.store":                    storeKeys(nil),
		"nats.modules":                           modulesKeys(nil),
		"nats.stream":                            streamKeys(nil),
		"nats.tls":                               tlsKeys(nil),
		"http":                                   httpKeys(nil),
		"channels.NAME":                          channelKeys(nil),
		"channels.NAME.limits":                   limitsKeys(nil),
		"channels.NAME.retry":                    retryKeys(nil),
		"channels.NAME.deadlines":                deadlinesKeys(nil),
		"channels.NAME.quarantine":               quarantineKeys(nil),
		"channels.NAME.connections.NAME":         connectionKeys(nil),
		"channels.NAME.connections.NAME.rs485":   rs485Keys(nil),
		"channels.NAME.connections.NAME.tls":     peerTLSKeys(nil),
		"channels.NAME.grants":                   grantsKeys(nil),
		"channels.NAME.devices.NAME":             deviceKeys(nil),
		"channels.NAME.devices.NAME.points.NAME": pointKeys(nil),
	}
	want := map[string][]string{}
	for title, k := range known {
		want[title] = slices.Sorted(maps.Keys(k))
	}
	if diff := cmp.Diff(want, sections); diff != "" {
		t.Error("the parser (-) and the reference (+) differ:\n" + diff)
	}
	_, notYet, _ := strings.Cut(string(data), "\n## Not supported yet\n")
	for _, l := range []later{natsLater(), channelLater()} {
		for key := range l {
			if !regexp.MustCompile("[`.]" + key + "[`]").MatchString(notYet) {
				t.Errorf("the reference does not say that %s is not supported yet", key)
			}
		}
	}
}
