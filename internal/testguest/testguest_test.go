package testguest

import (
	"bytes"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	binary, err := Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(binary, []byte("\x00asm\x01\x00\x00\x00")) || !bytes.Contains(binary, []byte("driver/lifecycle@0.1.0#run")) {
		t.Errorf("%d bytes that are no driver", len(binary))
	}
}

func TestBuildWhatIsNotThere(t *testing.T) {
	_, err := Build("nobody")
	if err == nil || !strings.Contains(err.Error(), "build guest nobody") || !strings.Contains(err.Error(), "guests/nobody") {
		t.Errorf("got %v", err)
	}
}
