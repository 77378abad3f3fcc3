package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// manager is a service manager's end.
func manager(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no datagram sockets of this kind, and no service manager that listens on one")
	}
	dir, err := os.MkdirTemp("", "drover") // t.TempDir may be longer than a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, socket
}

func hear(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestServiceTellsItsManager(t *testing.T) {
	conn, socket := manager(t)
	environment := map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "7"}
	s := newService(func(name string) string { return environment[name] }, 7, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	end := s.serve(ctx)
	heard := []string{hear(t, conn), hear(t, conn), hear(t, conn)}
	if !slices.Equal(heard, []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"}) {
		t.Errorf("heard %q", heard)
	}
	cancel()
	end()
	for last := ""; last != "STOPPING=1"; {
		if last = hear(t, conn); last != "WATCHDOG=1" && last != "STOPPING=1" {
			t.Fatalf("heard %q", last)
		}
	}
}

func TestServiceWithoutAManager(t *testing.T) {
	for name, environment := range map[string]map[string]string{
		"none":                      {},
		"no socket":                 {"NOTIFY_SOCKET": "vsock:2:1"},
		"nobody listens":            {"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "nobody")},
		"a watchdog of another one": {"NOTIFY_SOCKET": "@drover-test-nobody", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "8"},
	} {
		s := newService(func(name string) string { return environment[name] }, 7, slog.New(slog.DiscardHandler))
		if s.watchdog != 0 {
			t.Errorf("%s: a watchdog of %v", name, s.watchdog)
		}
		ctx, cancel := context.WithCancel(t.Context())
		end := s.serve(ctx)
		end()
		cancel()
	}
}
