package embedded

import (
	"bytes"
	"encoding/pem"
	"log/slog"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// trustFile has the server's own certificates, beside the keys.
const trustFile = "server.pem"

// trust leaves the server's own certificates for clients of the same user, and returns the file: they are this server's,
// whoever signed them. It returns nothing where the server has no TLS, or where they cannot be kept.
func (k *keys) trust(options *server.Options, log *slog.Logger) string {
	if k.folder == "" || options.TLSConfig == nil {
		return ""
	}
	var text bytes.Buffer
	for _, c := range options.TLSConfig.Certificates {
		for _, der := range c.Certificate {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a buffer takes everything
		}
	}
	if text.Len() == 0 {
		return ""
	}
	file := filepath.Join(k.folder, trustFile)
	if err := write(file, text.Bytes()); err != nil {
		log.Warn("the server's certificate is not kept", "error", err)
		return ""
	}
	return file
}
