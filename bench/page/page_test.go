package page

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/bench/figure"
)

func TestReplace(t *testing.T) {
	page := "a\n<!-- begin x -->\nold\nolder\n<!-- end x -->\nb\n<!-- begin y -->\n<!-- end y -->\nc\n"
	blocks := map[string]string{"x": "new\n", "y": "also\n\n"}
	want := "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n<!-- begin y -->\nalso\n<!-- end y -->\nc\n"
	for range 2 { // a page that was filled can be filled again
		got, err := replace(page, blocks)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q", got)
		}
		page = got
	}
}

func TestReplaceRefuses(t *testing.T) {
	for page, want := range map[string]string{
		"<!-- begin x -->\n":                 `block "x" has no mark`,
		"<!-- begin x":                       "has no end",
		"<!-- begin z -->\n<!-- end z -->\n": `no block "z"`,
		strings.Repeat("<!-- begin x -->\n<!-- end x -->\n", 2): "twice",
		"nothing": "no place for x",
	} {
		if _, err := replace(page, map[string]string{"x": ""}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", page, err)
		}
	}
}

func report() figure.Report {
	memory := figure.Pair("density", 10, figure.Figure{Metric: "memory", Name: "memory", Unit: "MB", Aim: "under 200 MB"})
	for _, v := range []float64{10, 20, 30} {
		memory.Add(figure.Bare, v)
		memory.Add(figure.Drover, 2*v)
	}
	late := figure.Pair("density", 10, figure.Figure{Metric: "late-p99", Name: "lateness", Unit: "ms", Absolute: true})
	late.Add(figure.Bare, 0)
	late.Add(figure.Drover, 3)
	return figure.Report{
		Run:     figure.Run{Date: time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC), Machine: "a machine", Cores: 2, Drover: "1.2.3"},
		Figures: append(memory.Done(), late.Done()...),
	}
}

func TestTables(t *testing.T) {
	r := report()
	for want, got := range map[string]string{
		"| density: memory, 10 channels | under 200 MB | 40.00 MB | 20.00 MB | 2.000 |": aims(r),
		"| Memory a channel, MB | drover | 4.000 |":                                     growth(r),
		"|  | drover | 40.00 | 20.00 to 60.00 | MB | 2.000 |  |":                        suite(r, "density"),
		"| machine | a machine, 2 cores, 0 GiB |":                                       about(r.Run),
		"2027-03-04 05:06 UTC":                                                          about(r.Run),
		absent:                                                                          suite(r, "swap"),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

func TestDrawingsLeaveOutWhatIsNothing(t *testing.T) {
	block, charts := drawings(report())
	if len(charts) != 2 || !strings.Contains(block, "(performance/memory.svg)") {
		t.Fatalf("%v\n%s", charts, block)
	}
	if lines := charts["lateness.svg"].Lines; len(lines) != 1 || lines[0].Name != "drover" {
		t.Errorf("%+v", lines)
	}
	if note := charts["memory.svg"].Note; !strings.Contains(note, "2027-03-04") || !strings.Contains(note, "1.2.3") {
		t.Errorf("note %q", note)
	}
}

// The page in the tree is what its figures make of it.
func TestPageIsGenerated(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	r, err := read(filepath.Join(docs, "performance", "figures.json"))
	if err != nil {
		t.Fatal(err)
	}
	text, files, err := render(docs, r)
	if err != nil {
		t.Fatal(err)
	}
	files[filepath.Join("..", "performance.md")] = []byte(text)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(docs, "performance", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its figures make of it: run make benchdocs", name)
		}
	}
	drawn, err := filepath.Glob(filepath.Join(docs, "performance", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range drawn {
		if _, ok := files[filepath.Base(path)]; !ok {
			t.Errorf("%s is of no figure", path)
		}
	}
}
