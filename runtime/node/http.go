package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// How long a client of the listener may take.
const (
	httpHeaderTime = 5 * time.Second
	httpTime       = 30 * time.Second
	httpIdleTime   = 2 * time.Minute
	httpHeader     = 16 << 10
)

// listener answers HTTP. It is there before anything else of the node, and until the end.
type listener struct {
	server *http.Server
	addr   net.Addr
	done   chan struct{}
}

// listen starts to answer. The caller calls close.
func listen(address string, handler http.Handler, logger *slog.Logger) (*listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	out := &listener{
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: httpHeaderTime, ReadTimeout: httpTime, WriteTimeout: httpTime,
			IdleTimeout: httpIdleTime, MaxHeaderBytes: httpHeader, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		},
		addr: l.Addr(), done: make(chan struct{}),
	}
	go func() {
		defer close(out.done)
		if err := out.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("HTTP is answered no more", "error", err)
		}
	}()
	return out, nil
}

// close ends it: answers on their way are waited for until ctx ends.
func (l *listener) close(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("close the HTTP listener: %w", err), l.server.Close())
	}
	<-l.done
	return err
}
