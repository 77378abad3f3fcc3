package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/droverhq/drover/internal/testcert"
)

// certificates is `certificates NAME...`: it makes ca.pem, and NAME.pem with NAME-key.pem.
func certificates(ts *testscript.TestScript, _ bool, names []string) {
	a, err := testcert.New(ts.MkAbs("."))
	ts.Check(err)
	for _, name := range names {
		ts.Check(a.Issue(name))
	}
}

// tlsServer is `tlsserver NAME`: it starts a NATS server with that certificate, to which clients come with one of theirs,
// and sets SERVER to its URL.
func tlsServer(ts *testscript.TestScript, _ bool, args []string) {
	pair, err := tls.LoadX509KeyPair(ts.MkAbs(args[0]+".pem"), ts.MkAbs(args[0]+"-key.pem"))
	ts.Check(err)
	authorities := x509.NewCertPool()
	text, err := os.ReadFile(ts.MkAbs("ca.pem"))
	ts.Check(err)
	if !authorities.AppendCertsFromPEM(text) {
		ts.Fatalf("ca.pem has no certificate")
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, TLSVerify: true,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert},
	})
	ts.Check(err)
	s.Start()
	ts.Defer(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		ts.Fatalf("the server is not ready")
	}
	ts.Setenv("SERVER", s.ClientURL())
}
