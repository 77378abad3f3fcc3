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

// secured is the TLS over a connection.
type secured struct {
	tls  *tls.Conn
	host string
	// shown says that there is a client certificate to show.
	shown bool
}

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

func (s *secured) read(p []byte) (int, error) {
	n, err := s.tls.Read(p)
	return n, s.recordError(err)
}

func (s *secured) write(p []byte) (int, error) {
	n, err := s.tls.Write(p)
	return n, s.recordError(err)
}

// close tells the peer that this is the end, if it listens, and closes the connection. Closing what is below ends a write
// that the peer does not take.
func (s *secured) close() error {
	timer := time.AfterFunc(byeTimeout, func() { _ = s.tls.NetConn().Close() })
	defer timer.Stop()
	return s.tls.Close()
}
