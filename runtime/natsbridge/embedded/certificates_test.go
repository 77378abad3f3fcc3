package embedded_test

import (
	"testing"

	"github.com/droverhq/drover/internal/testcert"
)

// authority makes certificates in a folder: ca.pem, and NAME.pem with NAME-key.pem.
type authority struct{ *testcert.Authority }

func newAuthority(t *testing.T) authority {
	t.Helper()
	a, err := testcert.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return authority{a}
}

func (a authority) issue(t *testing.T, name string) {
	t.Helper()
	if err := a.Issue(name); err != nil {
		t.Fatal(err)
	}
}

func (a authority) file(name string) string { return a.File(name) }
