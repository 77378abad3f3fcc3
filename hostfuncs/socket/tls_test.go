package socket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
	"github.com/droverhq/drover/internal/testcert"
)

func authority(t *testing.T) *testcert.Authority {
	t.Helper()
	a, err := testcert.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *testcert.Authority, name string, change func(*x509.Certificate)) {
	t.Helper()
	if err := a.IssueAs(name, change); err != nil {
		t.Fatal(err)
	}
}

// serverConfig is that of a peer with a certificate of the authority's.
func serverConfig(t *testing.T, a *testcert.Authority, name string) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.File(name+".pem"), a.File(name+"-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// pool is what a peer trusts.
func pool(t *testing.T, a *testcert.Authority) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(a.File("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

// peer has serve do with each connection what it likes, and closes it then.
func peer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l := listen(t)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			wg.Go(func() {
				defer stop()
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// tlsPeer sends back what it gets, over TLS.
func tlsPeer(t *testing.T, c *tls.Config) string {
	return peer(t, func(conn net.Conn) {
		secure := tls.Server(conn, c)
		defer secure.Close()
		_, _ = io.Copy(secure, secure)
	})
}

func connectTLS(t *testing.T, address string, g grant.TLS) (stream.Device, error) {
	t.Helper()
	return way(t, net.DefaultResolver).Connect(t.Context(), grant.TCP{Address: address, TLS: &g})
}

func exchange(t *testing.T, c stream.Device) error {
	t.Helper()
	if _, err := c.Write([]byte("question")); err != nil {
		return err
	}
	got := make([]byte, 8)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != "question" {
		t.Errorf("got %q", got)
	}
	return nil
}

func TestTLS(t *testing.T) {
	a := authority(t)
	issue(t, a, "plc", nil)
	issue(t, a, "named", func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"plc.example"}, nil })
	issue(t, a, "node", nil)
	mutual := serverConfig(t, a, "plc")
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, pool(t, a)
	older := serverConfig(t, a, "plc")
	older.MaxVersion = tls.VersionTLS12
	for name, tt := range map[string]struct {
		peer  *tls.Config
		grant grant.TLS
	}{
		"by its address":     {serverConfig(t, a, "plc"), grant.TLS{CA: a.File("ca.pem")}},
		"by its name":        {serverConfig(t, a, "named"), grant.TLS{CA: a.File("ca.pem"), ServerName: "plc.example"}},
		"client certificate": {mutual, grant.TLS{CA: a.File("ca.pem"), Cert: a.File("node.pem"), Key: a.File("node-key.pem")}},
		"TLS 1.2":            {older, grant.TLS{CA: a.File("ca.pem")}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := connectTLS(t, tlsPeer(t, tt.peer), tt.grant)
			if err != nil {
				t.Fatal(err)
			}
			if err := exchange(t, c); err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTLSRefused: what is wrong is said in words that help, and never connected to.
func TestTLSRefused(t *testing.T) {
	a, other := authority(t), authority(t)
	issue(t, a, "plc", nil)
	issue(t, a, "expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	issue(t, a, "early", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })
	issue(t, a, "named", func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"plc.example"}, nil })
	issue(t, a, "client", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	issue(t, other, "stranger", nil)
	mutual := serverConfig(t, a, "plc")
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, pool(t, a)
	mutual12 := mutual.Clone()
	mutual12.MaxVersion = tls.VersionTLS12
	old := serverConfig(t, a, "plc")
	old.MaxVersion = tls.VersionTLS11
	trusting := grant.TLS{CA: a.File("ca.pem")}
	for name, tt := range map[string]struct {
		address string
		grant   grant.TLS
		want    string
	}{
		"expired":   {tlsPeer(t, serverConfig(t, a, "expired")), trusting, "its certificate has expired, on 20"},
		"early":     {tlsPeer(t, serverConfig(t, a, "early")), trusting, "valid only from 20"},
		"usage":     {tlsPeer(t, serverConfig(t, a, "client")), trusting, "not for servers"},
		"name":      {tlsPeer(t, serverConfig(t, a, "named")), trusting, "for plc.example and not for 127.0.0.1, which `server_name`"},
		"authority": {tlsPeer(t, serverConfig(t, other, "stranger")), trusting, "an authority that is not trusted, which `ca` may set"},
		"system":    {tlsPeer(t, serverConfig(t, a, "plc")), grant.TLS{}, "an authority that is not trusted"},
		"nobody":    {tlsPeer(t, mutual), trusting, "wants a client certificate, which `cert` and `key` set"},
		"nobody12":  {tlsPeer(t, mutual12), trusting, "it may want a client certificate"},
		"stranger": {tlsPeer(t, mutual), grant.TLS{
			CA: a.File("ca.pem"), Cert: other.File("stranger.pem"), Key: other.File("stranger-key.pem"),
		}, "refuses the client certificate"},
		"old": {tlsPeer(t, old), trusting, "no version of TLS from 1.2 on"},
		"plain": {peer(t, func(c net.Conn) {
			_, _ = c.Write([]byte("220 modbus ready\r\n"))
			_, _ = io.Copy(io.Discard, c)
		}), trusting, "does not speak TLS"},
		"closes":    {peer(t, func(net.Conn) {}), trusting, "does it speak TLS at this port?"},
		"no file":   {tlsPeer(t, mutual), grant.TLS{CA: a.File("none.pem")}, "none.pem: no such file"},
		"no PEM":    {tlsPeer(t, mutual), grant.TLS{CA: os.DevNull}, "has no certificate in PEM"},
		"wrong key": {tlsPeer(t, mutual), grant.TLS{Cert: a.File("plc.pem"), Key: a.File("named-key.pem")}, "does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := connectTLS(t, tt.address, tt.grant)
			if c != nil {
				err = exchange(t, c) // a server of TLS 1.3 refuses after the client's handshake is over
				_ = c.Close()
			}
			wantCode(t, err, driver.IOErrorTLS)
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestTLSStalled: a peer that accepts and says nothing is waited for until who waits gives up.
func TestTLSStalled(t *testing.T) {
	address := peer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	connecting := peerHello(t, cancel)
	_, err := way(t, net.DefaultResolver).Connect(ctx, grant.TCP{Address: connecting, TLS: &grant.TLS{}})
	if !errors.Is(err, context.Canceled) || stream.Code(err) != driver.IOErrorCancelled {
		t.Errorf("given up: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = way(t, net.DefaultResolver).Connect(ctx, grant.TCP{Address: address, TLS: &grant.TLS{}})
	wantCode(t, err, driver.IOErrorTimeout)
	if !strings.Contains(err.Error(), "did not finish in time") {
		t.Error(err)
	}
}

// peerHello is a peer that calls heard when the handshake has begun, and says nothing.
func peerHello(t *testing.T, heard func()) string {
	return peer(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		heard()
		_, _ = io.Copy(io.Discard, c)
	})
}

// TestTLSFilesAreReadAtUse: certificates that were exchanged are those of the next connection.
func TestTLSFilesAreReadAtUse(t *testing.T) {
	a := authority(t)
	issue(t, a, "plc", nil)
	issue(t, a, "node", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	mutual := serverConfig(t, a, "plc")
	mutual.ClientAuth, mutual.ClientCAs, mutual.MaxVersion = tls.RequireAndVerifyClientCert, pool(t, a), tls.VersionTLS12
	w, to := way(t, net.DefaultResolver), grant.TCP{
		Address: tlsPeer(t, mutual),
		TLS:     &grant.TLS{CA: a.File("ca.pem"), Cert: a.File("node.pem"), Key: a.File("node-key.pem")},
	}
	if _, err := w.Connect(t.Context(), to); err == nil || !strings.Contains(err.Error(), "refuses the client certificate") {
		t.Fatalf("with a certificate that has expired: %v", err)
	}
	issue(t, a, "node", nil)
	c, err := w.Connect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(t, c); err != nil {
		t.Error(err)
	}
	_ = c.Close()
}

// TestTLSInterrupt: a peer that reads nothing: Interrupt ends the write, and closing does not wait for it.
func TestTLSInterrupt(t *testing.T) {
	a := authority(t)
	issue(t, a, "plc", nil)
	config := serverConfig(t, a, "plc")
	done := make(chan struct{})
	defer close(done)
	c, err := connectTLS(t, peer(t, func(conn net.Conn) {
		_ = tls.Server(conn, config).Handshake()
		<-done
	}), grant.TLS{CA: a.File("ca.pem")})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, c.Interrupt)
	for err == nil {
		_, err = c.Write(make([]byte, 1<<20))
	}
	wantCode(t, err, driver.IOErrorTimeout)
	_, err = c.Read(make([]byte, 1))
	wantCode(t, err, driver.IOErrorTimeout)
	_ = c.Close()
}
