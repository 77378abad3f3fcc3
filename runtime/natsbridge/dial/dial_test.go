package dial

import "testing"

func TestCredentials(t *testing.T) {
	tests := []struct {
		name    string
		c       Credentials
		options int
		ok      bool
	}{
		{"anonymous", Credentials{}, 0, true},
		{"user", Credentials{User: "u", Password: "p"}, 1, true},
		{"token and CA", Credentials{Token: "t", CA: "ca.pem"}, 2, true},
		{"creds and client certificate", Credentials{File: "x.creds", Cert: "c.pem", Key: "k.pem"}, 2, true},
		{"two ways", Credentials{User: "u", Token: "t"}, 0, false},
		{"certificate without key", Credentials{Cert: "c.pem"}, 0, false},
		{"nkey that is not there", Credentials{NKey: "testdata/absent"}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options, err := tt.c.Options()
			if (err == nil) != tt.ok || len(options) != tt.options {
				t.Errorf("got %d options, %v", len(options), err)
			}
		})
	}
}
