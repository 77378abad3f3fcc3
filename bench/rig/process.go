// Package rig has what the benchmarks run against each other: devices, a NATS server, and programs as processes whose
// CPU and memory the kernel counts.
package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a program that was started. What it says goes nowhere, its errors are kept.
type Process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan error
}

// Start starts a program. The caller stops it.
func Start(path string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(path, args...), ended: make(chan error, 1)}
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// stopWithin is how long a program has to end.
const stopWithin = 40 * time.Second

// Stop asks the program to end and waits until it has.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("%s ended: %w\n%s", p.cmd.Path, err, tail(p.stderr.String()))
		}
		return nil
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("%s does not end", p.cmd.Path), p.cmd.Process.Kill())
	}
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// Usage is what a program has taken from the machine since it started.
type Usage struct {
	CPU time.Duration
	// Resident is memory now, Peak the most there was; Written went to files. In bytes.
	Resident, Peak, Written uint64
}

// clockTick is what the kernel counts CPU time in (USER_HZ, proc(5)): the same on every platform that has /proc.
const clockTick = 10 * time.Millisecond

// Usage reads /proc (proc(5)), which Linux has.
func (p *Process) Usage() (Usage, error) {
	dir := "/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/"
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Usage{}, fmt.Errorf("read the usage of %s: %w", p.cmd.Path, err)
	}
	// The fields after the name, which is in brackets: utime and stime are the 14th and 15th of all.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return Usage{}, fmt.Errorf("read the usage of %s: %q", p.cmd.Path, stat)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read the usage of %s: %w", p.cmd.Path, err)
		}
		ticks += n
	}
	u := Usage{CPU: time.Duration(ticks) * clockTick}
	for file, values := range map[string]map[string]*uint64{
		"status": {"VmRSS:": &u.Resident, "VmHWM:": &u.Peak},
		"io":     {"write_bytes:": &u.Written},
	} {
		if err := readValues(dir+file, values); err != nil {
			return Usage{}, err
		}
	}
	return u, nil
}

// readValues reads the lines of a file that begin with the keys; those in kB are made bytes.
func readValues(file string, values map[string]*uint64) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the usage: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || values[fields[0]] == nil {
			continue
		}
		n, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return fmt.Errorf("read the usage in %s: %w", file, err)
		}
		if len(fields) > 2 && fields[2] == "kB" {
			n <<= 10
		}
		*values[fields[0]] = n
	}
	return nil
}
