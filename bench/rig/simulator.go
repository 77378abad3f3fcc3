package rig

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Addresses are where a simulator listens, as it says at its start.
type Addresses struct {
	Devices []string `json:"devices"`
}

// Counters are what has come to a simulator since its start.
type Counters struct {
	Requests    uint64 `json:"requests"`
	Connections uint64 `json:"connections"`
}

// Simulator is the devices, as a process.
type Simulator struct {
	Addresses
	cmd *exec.Cmd
	ask io.WriteCloser
	say *json.Decoder
}

// StartSimulator starts the program of bench/simulator. The caller closes it.
func StartSimulator(path string) (*Simulator, error) {
	s := &Simulator{cmd: exec.Command(path)}
	s.cmd.Stderr, s.cmd.SysProcAttr = os.Stderr, apart
	ask, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	say, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	s.ask, s.say = ask, json.NewDecoder(bufio.NewReader(say))
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	if err := s.say.Decode(&s.Addresses); err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulator: %w", err), s.Close())
	}
	return s, nil
}

// Counters asks for them.
func (s *Simulator) Counters() (c Counters, err error) {
	if _, err := io.WriteString(s.ask, "\n"); err != nil {
		return c, fmt.Errorf("ask the simulator: %w", err)
	}
	if err := s.say.Decode(&c); err != nil {
		return c, fmt.Errorf("hear the simulator: %w", err)
	}
	return c, nil
}

// Close ends it.
func (s *Simulator) Close() error {
	_ = s.ask.Close() // which is what it ends for
	late := time.AfterFunc(stopWithin, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the simulator ended: %w", err)
	}
	return nil
}
