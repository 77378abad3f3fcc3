package socket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

const (
	// handshakeTimeout bounds a handshake where nobody waits for it. Who does has a deadline of his own.
	handshakeTimeout = 30 * time.Second
	// byeTimeout is how long a peer may take to accept that the connection ends.
	byeTimeout = 100 * time.Millisecond
)

// secured is a TCP connection with TLS over it.
type secured struct {
	tls  *tls.Conn
	host string
	// shown says that there is a client certificate to show.
	shown bool
}

var _ stream.Device = (*secured)(nil)

// secure speaks TLS with the peer of a connection: TLS 1.2 at least, its certificate checked. The files are read now, so
// that those which were exchanged since are used. On an error the connection stays open.
func secure(ctx context.Context, conn net.Conn, host string, t grant.TLS) (*secured, error) {
	config, err := clientConfig(host, t)
	if err != nil {
		return nil, &stream.Error{Code: driver.IOErrorTLS, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	s := &secured{tls: tls.Client(conn, config), host: config.ServerName, shown: t.Cert != ""}
	if err := s.tls.HandshakeContext(ctx); err != nil {
		return nil, s.handshakeError(ctx, err)
	}
	return s, nil
}

// clientConfig returns what the grant says, with its files as they are now.
func clientConfig(host string, t grant.TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the authorities: %s has no certificate in PEM", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate %s: %w", t.Cert, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Read implements stream.Device.
func (s *secured) Read(p []byte) (int, error) {
	n, err := s.tls.Read(p)
	return n, s.recordError(err)
}

// Write implements stream.Device.
func (s *secured) Write(p []byte) (int, error) {
	n, err := s.tls.Write(p)
	return n, s.recordError(err)
}

// Drain implements stream.Device: what was written is the operating system's already.
func (s *secured) Drain() error { return nil }

// Discard implements stream.Device: what is not read yet has not been deciphered.
func (s *secured) Discard() error { return nil }

// Interrupt implements stream.Device: it ends reads and writes for good.
func (s *secured) Interrupt() { _ = s.tls.SetDeadline(time.Unix(1, 0)) } // It fails on a closed connection only.

// Close implements stream.Device. It tells the peer that this is the end, if it listens: closing what is below ends a
// write that the peer does not take.
func (s *secured) Close() error {
	timer := time.AfterFunc(byeTimeout, func() { _ = s.tls.NetConn().Close() })
	defer timer.Stop()
	return s.tls.Close()
}

// Gap implements stream.Device.
func (s *secured) Gap() time.Duration { return 0 }
