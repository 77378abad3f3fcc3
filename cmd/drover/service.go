package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// service tells a service manager how the node is doing, by the protocol of sd_notify(3). The zero value tells nobody.
type service struct {
	// socket is a path, or an abstract name that begins with @.
	socket string
	// watchdog is how often the manager wants to hear of the process, 0 never.
	watchdog time.Duration
	log      *slog.Logger
}

// newService returns what the environment says of a service manager.
func newService(getenv func(string) string, pid int, log *slog.Logger) service {
	s := service{socket: getenv("NOTIFY_SOCKET"), log: log}
	if s.socket == "" || !strings.HasPrefix(s.socket, "/") && !strings.HasPrefix(s.socket, "@") {
		return service{}
	}
	meant, asked := getenv("WATCHDOG_PID"), getenv("WATCHDOG_USEC")
	if n, err := strconv.ParseInt(asked, 10, 64); err == nil && n > 0 && (meant == "" || meant == strconv.Itoa(pid)) {
		s.watchdog = time.Duration(n) * time.Microsecond
	}
	return s
}

// serve tells the manager that the node is ready, and that the process lives, until ctx is done or end is called; and then
// that it stops. The caller calls end, which returns when that was told.
func (s service) serve(ctx context.Context) (end func()) {
	if s.socket == "" {
		return func() {}
	}
	s.tell("READY=1")
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		s.live(ctx)
		s.tell("STOPPING=1")
	})
	return func() {
		cancel()
		telling.Wait()
	}
}

// live tells the manager that the process lives, twice as often as it wants to hear of it.
func (s service) live(ctx context.Context) {
	if s.watchdog == 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(s.watchdog / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.tell("WATCHDOG=1")
		}
	}
}

// tell sends a state. A manager that is not there is logged: the node goes on without it.
func (s service) tell(state string) {
	if err := s.send(state); err != nil {
		s.log.Warn("the service manager is not told", "state", state, "error", err)
	}
}

func (s service) send(state string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // a datagram is sent, or is not
	if _, err := fmt.Fprint(conn, state); err != nil {
		return err
	}
	return nil
}
