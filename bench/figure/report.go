package figure

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Report is the figures of one run, and what there is to know of the run.
type Report struct {
	Run     Run      `json:"run"`
	Figures []Figure `json:"figures"`
}

// Run says where, when and of what the figures are.
type Run struct {
	Date time.Time `json:"date"`
	// Machine is its processor and operating system, Cores how many there are, Memory its bytes.
	Machine string `json:"machine"`
	Cores   int    `json:"cores"`
	Memory  uint64 `json:"memory"`
	// Load is how many threads wanted a processor before the run, over a minute: on a quiet machine nearly 0.
	Load float64 `json:"load"`
	// Drover is its version, Go that of the compiler, Libraries those of the modules that matter, by path.
	Drover    string            `json:"drover"`
	Go        string            `json:"go"`
	Libraries map[string]string `json:"libraries"`
	// Rounds and Scale are as the command line had them.
	Rounds int     `json:"rounds"`
	Scale  float64 `json:"scale"`
}

// String says it in one line.
func (r Run) String() string {
	return fmt.Sprintf("%s, %d cores, %d GiB, %s, drover %s, %s", r.Machine, r.Cores, (r.Memory+1<<29)>>30,
		r.Date.UTC().Format(time.DateOnly), r.Drover, r.Go)
}

// Write writes the report as JSON, with all samples.
func (r Report) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// Read reads what Write wrote.
func Read(r io.Reader) (report Report, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&report); err != nil {
		return report, fmt.Errorf("read the figures: %w", err)
	}
	return report, nil
}

// Of returns the figures of a metric, by how many channels there were.
func (r Report) Of(metric string) []Figure {
	var out []Figure
	for _, f := range r.Figures {
		if f.Metric == metric {
			out = append(out, f)
		}
	}
	return out
}

// Suite returns the figures of a suite.
func (r Report) Suite(name string) []Figure {
	var out []Figure
	for _, f := range r.Figures {
		if f.Suite == name {
			out = append(out, f)
		}
	}
	return out
}

// Variant returns a variant's series.
func (f Figure) Variant(name string) (Series, bool) {
	for _, s := range f.Series {
		if s.Name == name {
			return s, true
		}
	}
	return Series{}, false
}
