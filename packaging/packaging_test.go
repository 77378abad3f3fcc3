// Package packaging_test holds what is shipped against what it promises.
package packaging_test

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
)

// lines are those of a file that say something, with those that go on joined.
func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	scan := bufio.NewScanner(strings.NewReader(strings.ReplaceAll(string(text), "\\\n", " ")))
	for scan.Scan() {
		if line := strings.TrimSpace(scan.Text()); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// TestDockerfile: nothing from elsewhere, nobody's root, and a way to see that it works.
func TestDockerfile(t *testing.T) {
	var instructions []string
	last := map[string]string{}
	for _, line := range lines(t, "Dockerfile") {
		instruction, rest, _ := strings.Cut(line, " ")
		instructions = append(instructions, instruction)
		last[instruction] = strings.TrimSpace(rest)
	}
	if last["FROM"] != "scratch" || instructions[0] != "FROM" {
		t.Errorf("it is made from %q: expected scratch, which needs no digest", last["FROM"])
	}
	for _, unwanted := range []string{"ADD", "RUN", "SHELL"} {
		if slices.Contains(instructions, unwanted) {
			t.Errorf("it has %s", unwanted)
		}
	}
	user, group, _ := strings.Cut(last["USER"], ":")
	if user == "" || strings.Trim(user, "0123456789") != "" || strings.Trim(user, "0") == "" || group != user {
		t.Errorf("USER is %q: expected numbers other than 0, for there is no /etc/passwd", last["USER"])
	}
	if !strings.Contains(last["HEALTHCHECK"], `CMD ["/usr/bin/drover"`) || last["VOLUME"] != `["/var/lib/drover"]` {
		t.Errorf("HEALTHCHECK %s, VOLUME %s", last["HEALTHCHECK"], last["VOLUME"])
	}
}

// TestUnit: the lines that a hardened service has, and no two of them that disagree.
func TestUnit(t *testing.T) {
	settings := map[string][]string{}
	for _, line := range lines(t, "systemd/drover.service") {
		if key, value, ok := strings.Cut(line, "="); ok {
			settings[key] = append(settings[key], value)
		}
	}
	for key, want := range map[string]string{
		"Type": "notify", "User": "drover", "ProtectSystem": "strict", "StateDirectory": "drover", "CapabilityBoundingSet": "",
		"NoNewPrivileges": "yes", "Restart": "always", "SupplementaryGroups": "dialout", "DevicePolicy": "closed",
	} {
		if got := settings[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, expected %q", key, got, want)
		}
	}
	for key, values := range settings {
		if len(values) > 1 && !slices.Contains([]string{"DeviceAllow", "SystemCallFilter"}, key) {
			t.Errorf("%s is there %d times: %q", key, len(values), values)
		}
	}
	if !slices.Contains(settings["SystemCallFilter"], "@system-service") || !slices.Contains(settings["DeviceAllow"], "char-ttyUSB rw") {
		t.Errorf("filters %q, devices %q", settings["SystemCallFilter"], settings["DeviceAllow"])
	}
}
