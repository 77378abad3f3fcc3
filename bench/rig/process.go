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

	"golang.org/x/sys/unix"
)

// Process is a program that was started. What it says goes nowhere, its errors are kept.
type Process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	firsts Firsts
	ended  chan error
}

// apart keeps an interrupt of the bench from the programs that it started: it stops them itself, in order.
var apart = &syscall.SysProcAttr{Setpgid: true}

// Start starts a program. The caller stops it.
func Start(path string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(path, args...), ended: make(chan error, 1)}
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = apart
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
	// Memory is what the program has now: pages that it maps several times, or shares, count in parts that come to one
	// (PSS). Resident counts them each time (RSS), Peak is the most of that there was; Written went to files. In bytes.
	Memory, Resident, Peak, Written uint64
}

// Usage reads /proc (proc(5)) and the process's clock, which Linux has.
func (p *Process) Usage() (Usage, error) {
	u, err := memory(p.cmd.Process.Pid)
	if err != nil {
		return Usage{}, err
	}
	u.CPU, err = p.CPU()
	return u, err
}

// Memory returns what this process has, as Usage.Memory counts it.
func Memory() (uint64, error) {
	u, err := memory(os.Getpid())
	return u.Memory, err
}

// MachineMemory returns how many bytes there are, and how many programs can have without any having to leave.
func MachineMemory() (total, free uint64, err error) {
	err = readValues("/proc/meminfo", map[string]*uint64{"MemTotal:": &total, "MemAvailable:": &free})
	return total, free, err
}

// CPU returns the time that the program had a processor, in user and kernel mode, all its threads together.
func (p *Process) CPU() (time.Duration, error) {
	// The clock of another process, by its number: clock_getcpuclockid(3) does this, with CPUCLOCK_SCHED being 2.
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|2), &at); err != nil {
		return 0, fmt.Errorf("read the clock of %s: %w", p.cmd.Path, err)
	}
	return time.Duration(at.Nano()), nil
}

func memory(pid int) (u Usage, err error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	for file, values := range map[string]map[string]*uint64{
		"status":       {"VmRSS:": &u.Resident, "VmHWM:": &u.Peak},
		"smaps_rollup": {"Pss:": &u.Memory},
		"io":           {"write_bytes:": &u.Written},
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
