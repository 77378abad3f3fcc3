//go:build interop

package interop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: a busy machine is slow, and a peer that never comes must not stop the tests.
const patience = 30 * time.Second

// process is a program that runs beside a test.
type process struct {
	cmd    *exec.Cmd
	output lockedBuffer
	done   chan struct{}
	err    error
	// stopped says whether it was the test that asked it to end.
	stopped bool
}

// start runs a program until the test ends. What it printed is shown when the test has failed.
func start(t *testing.T, stdin string, environment []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stdin = bytes.NewBufferString(stdin)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		select {
		case <-p.done:
			if !p.stopped {
				t.Errorf("%s ended by itself: %v", name, p.err)
			}
		default:
			_ = p.cmd.Process.Kill() // It is waited for right after.
		}
		<-p.done
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output.tail(8000))
		}
	})
	return p
}

// stop sends SIGTERM, waits for the end, and returns the exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.stopped = true
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stop %s: %v", p.cmd.Path, err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%s did not end within %v of SIGTERM", p.cmd.Path, patience)
	}
	if p.err != nil && !errors.As(p.err, new(*exec.ExitError)) {
		t.Fatalf("stop %s: %v", p.cmd.Path, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// until asks again and again until ok, and fails the test with what was missing.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// freePort returns a TCP port of loopback that was free.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// listening waits until somebody listens on the port.
func listening(t *testing.T, port string) {
	t.Helper()
	until(t, "a server on port "+port, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// ptyPair returns the two ends of a line that socat makes.
func ptyPair(t *testing.T) (a, b string) {
	t.Helper()
	dir := t.TempDir()
	a, b = dir+"/a", dir+"/b"
	start(t, "", nil, "socat", "-d", "-d", "pty,raw,echo=0,link="+a, "pty,raw,echo=0,link="+b)
	until(t, "socat's pseudo-terminals", func() bool {
		_, errA := os.Stat(a)
		_, errB := os.Stat(b)
		return errA == nil && errB == nil
	})
	return a, b
}

// lockedBuffer takes the output of a process.
type lockedBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	return len(p), nil
}

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b[max(0, len(l.b)-n):])
}

var _ io.Writer = (*lockedBuffer)(nil)
