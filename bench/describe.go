package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	goruntime "runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// libraries are those whose version matters to the figures.
var libraries = []string{
	"github.com/tetratelabs/wazero", "github.com/grid-x/modbus", "github.com/nats-io/nats.go", "github.com/nats-io/nats-server/v2",
}

// describe says what is measured here and now.
func describe(o options) (figure.Run, error) {
	r := figure.Run{Date: time.Now().UTC().Truncate(time.Second), Cores: goruntime.NumCPU(), Go: goruntime.Version(),
		Libraries: map[string]string{}, Rounds: o.rounds, Scale: o.scale}
	var err error
	if r.Machine, err = machine(); err != nil {
		return r, err
	}
	if r.Memory, _, err = rig.MachineMemory(); err != nil {
		return r, err
	}
	average, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return r, fmt.Errorf("describe the machine: %w", err)
	}
	if r.Load, err = strconv.ParseFloat(strings.Fields(string(average))[0], 64); err != nil {
		return r, fmt.Errorf("describe the machine: %w", err)
	}
	if r.Drover, err = version(o.programs.Drover); err != nil {
		return r, err
	}
	info, _ := debug.ReadBuildInfo()
	for _, path := range libraries {
		for _, d := range info.Deps {
			if d.Path == path {
				r.Libraries[path] = d.Version
			}
		}
	}
	return r, nil
}

// machine returns the processor and the operating system.
func machine() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", fmt.Errorf("describe the machine: %w", err)
	}
	processor := goruntime.GOARCH
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", fmt.Errorf("describe the machine: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			processor = strings.TrimSpace(value) + " (" + goruntime.GOARCH + ")"
			break
		}
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	return fmt.Sprintf("%s, %s %s", processor, unix.ByteSliceToString(name.Sysname[:]), release), nil
}

// version asks the command for its own. One that was built without says from which commit it is.
func version(drover string) (string, error) {
	out, err := exec.Command(drover, "version", "--json").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", drover, err)
	}
	var v struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(out, &v); err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", drover, err)
	}
	if commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		v.Version += " (" + strings.TrimSpace(string(commit)) + ")"
	}
	return v.Version, nil
}
