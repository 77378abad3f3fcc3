package page

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/droverhq/drover/bench/figure"
)

// Write writes the figures of the file into performance.md of the folder, the drawings into its folder performance, and
// the figures themselves beside them.
func Write(docs, file string) error {
	report, err := read(file)
	if err != nil {
		return err
	}
	text, files, err := render(docs, report)
	if err != nil {
		return err
	}
	folder := filepath.Join(docs, "performance")
	old, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	for _, path := range old {
		if _, kept := files[filepath.Base(path)]; !kept {
			err = errors.Join(err, os.Remove(path))
		}
	}
	err = errors.Join(err, os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(docs, "performance.md"), []byte(text), 0o644))
	for name, content := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), content, 0o644))
	}
	return err
}

func read(file string) (figure.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return figure.Report{}, fmt.Errorf("read the figures: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read from
	return figure.Read(f)
}

// suites are those that the page has a table of, each in the block of its name.
var suites = []string{"density", "polling", "start", "instance", "swap", "bridge", "flood", "lateness", "hanging", "metering", "disk"}

// render returns the page, and what belongs into the folder beside it by name.
func render(docs string, r figure.Report) (text string, files map[string][]byte, err error) {
	template, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	if err != nil {
		return "", nil, fmt.Errorf("read the page: %w", err)
	}
	shown, charts := drawings(r)
	blocks := map[string]string{"run": about(r.Run), "aims": aims(r), "growth": growth(r), "drawings": shown}
	for _, name := range suites {
		blocks[name] = suite(r, name)
	}
	if text, err = replace(string(template), blocks); err != nil {
		return "", nil, fmt.Errorf("fill the page: %w", err)
	}
	files = map[string][]byte{}
	for name, c := range charts {
		var out bytes.Buffer
		if err := c.Write(&out); err != nil {
			return "", nil, err
		}
		files[name] = out.Bytes()
	}
	var figures bytes.Buffer
	if err := r.Write(&figures); err != nil {
		return "", nil, err
	}
	files["figures.json"] = figures.Bytes()
	return text, files, nil
}
