package socket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// handshakeError says for people why a handshake failed. It is `tls`, unless the peer only did not answer, or somebody
// wants the connection to end.
func (s *secured) handshakeError(ctx context.Context, err error) error {
	const doing = "TLS handshake with %s: "
	switch code := stream.Code(err); {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return fmt.Errorf(doing+"%w", s.host, err)
	case ctx.Err() != nil, code == driver.IOErrorTimeout:
		return stream.Errorf(driver.IOErrorTimeout, doing+"it did not finish in time", s.host)
	case code == driver.IOErrorClosed, code == driver.IOErrorReset:
		return stream.Errorf(driver.IOErrorTLS, doing+"it closed the connection; does it speak TLS at this port? (%w)", s.host, err)
	}
	return stream.Errorf(driver.IOErrorTLS, doing+"%s (%w)", s.host, s.explain(err), err)
}

// recordError is for a connection that was open. An alert is how a server of TLS 1.3 refuses a client's certificate: the
// client's handshake is over by then.
func (s *secured) recordError(err error) error {
	if alert, ok := remoteAlert(err); ok {
		return stream.Errorf(driver.IOErrorTLS, "TLS with %s: %s (%w)", s.host, s.explainAlert(alert), err)
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return stream.Errorf(driver.IOErrorTLS, "TLS with %s: it sent what is no TLS (%w)", s.host, e)
	}
	return err
}

// explain says what is wrong, and what to do.
func (s *secured) explain(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return explainInvalid(e)
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("its certificate is for %s and not for %s, which `server_name` may set", namesOf(e.Certificate), s.host)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that is not trusted, which `ca` may set"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS at this port"
	}
	if alert, ok := remoteAlert(err); ok {
		return s.explainAlert(alert)
	}
	return "it failed"
}

func explainInvalid(e x509.CertificateInvalidError) string {
	switch {
	case e.Reason == x509.Expired && e.Cert != nil && time.Now().Before(e.Cert.NotBefore):
		return "its certificate is valid only from " + e.Cert.NotBefore.UTC().Format(time.RFC3339) + " on; is this machine's clock right?"
	case e.Reason == x509.Expired && e.Cert != nil:
		return "its certificate has expired, on " + e.Cert.NotAfter.UTC().Format(time.RFC3339)
	case e.Reason == x509.IncompatibleUsage:
		return "its certificate is not for servers"
	}
	return "its certificate is not valid"
}

func namesOf(c *x509.Certificate) string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "nobody"
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], "others")
	}
	return strings.Join(names, ", ")
}

// remoteAlert returns what the peer said when it ended the connection, in the words of RFC 8446, section 6.
func remoteAlert(err error) (string, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return "", false
	}
	return strings.TrimPrefix(op.Err.Error(), "tls: "), true
}

func (s *secured) explainAlert(alert string) string {
	switch {
	case strings.Contains(alert, "certificate") && !s.shown:
		return "it wants a client certificate, which `cert` and `key` set"
	case strings.Contains(alert, "certificate"), strings.Contains(alert, "access denied"):
		return "it refuses the client certificate"
	case strings.Contains(alert, "protocol version"):
		return "it speaks no version of TLS from 1.2 on"
	case strings.Contains(alert, "unrecognized name"):
		return "it does not know the name " + s.host + ", which `server_name` may set"
	case strings.Contains(alert, "handshake failure"):
		return "it refuses the handshake: it may want a client certificate, or share no cipher"
	}
	return "it refuses"
}
