package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
)

// A file that the node does not have is in the bucket when it was given, by its digest alone: the name stays free for the
// build that is added.
func TestGive(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("NATS_URL", "")
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	file, plant := filepath.Join(dir, "driver.wasm"), filepath.Join(dir, "drover.yaml")
	text := []byte("node: plant-1\nnats: {embedded: {listen: 127.0.0.1:0}}\nchannels: {}\n")
	for name, content := range map[string][]byte{file: binary, plant: text} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(plant)
	if err != nil {
		t.Fatal(err)
	}
	n, err := drover.Start(t.Context(), c, drover.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	g := &globals{terminal: terminal{out: io.Discard, err: io.Discard}}
	r, err := g.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	request := message.SwapRequest{Channel: "boiler", Module: file}
	if err := r.give(t.Context(), file, &request); err != nil {
		t.Fatal(err)
	}
	digest := store.Digest(binary)
	if request.Module != digest || request.Digest != digest || request.Channel != "boiler" {
		t.Errorf("the request is now %+v", request)
	}
	l, err := r.library(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shared, err := l.shared(t.Context())
	if err != nil || len(shared) != 1 || shared[0].Digest != digest || !strings.HasSuffix(shared[0].Path, ":"+file) {
		t.Fatalf("the bucket has %+v, %v", shared, err)
	}
	if _, err := findModule(listed(shared), shared[0].Reference()); exitCode(err) != exitNotFound {
		t.Errorf("by its name: %v", err)
	}
	added, err := readModule(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := l.put(t.Context(), added); err != nil || e.Path != "" {
		t.Errorf("added, it is %+v, %v", e, err)
	}
}
