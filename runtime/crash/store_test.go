package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// open returns a store in dir and its log. change may be nil.
func open(t *testing.T, dir string, change func(*Config)) (*Store, *journal) {
	t.Helper()
	log := &journal{}
	c := Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(log, nil))}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, s) })
	return s, log
}

// finish closes the store: what was told is on the disk then.
func finish(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

var at = time.Date(2026, 11, 23, 8, 20, 1, 0, time.UTC)

// report is the nth crash of the channel boiler.
func report(n int) message.Crash {
	return message.Crash{
		Channel: "boiler", Epoch: "e1", Driver: "modbus", Version: "1.0.0",
		Failure: message.Failure{
			Phase: "run", Kind: "retryable", Code: "trap.unreachable", Summary: fmt.Sprint("crash ", n), Attempt: uint64(n),
			Digest: "sha256:ab", Time: message.Time{Time: at.Add(time.Duration(n) * time.Second)},
		},
		Memory: 4 << 20, CPU: 0.25, Stack: []string{"main.poll(i32)", "main.run()"},
		Lines: []message.CrashLine{{TS: message.Time{Time: at}, Level: "warn", Text: "too hot"}, {Text: "panic: scripted"}},
		Calls: []message.CrashCall{{Name: "[method]stream.read", Args: "stream 1", Result: "timeout", Duration: 0.5}},
	}
}

// add adds crashes one after the other, so that the queue does not drop any.
func add(t *testing.T, dir string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		s, log := open(t, dir, nil)
		s.Add(report(n))
		finish(t, s)
		if text := log.String(); text != "" {
			t.Fatal(text)
		}
	}
}

func summaries(crashes []message.Crash) string {
	var all []string
	for _, c := range crashes {
		all = append(all, fmt.Sprintf("%d %s", c.N, c.Failure.Summary))
	}
	return strings.Join(all, ", ")
}

func TestKeepsTheLastTen(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, 1, 12)
	s, _ := open(t, dir, nil)
	crashes, damaged, err := s.List("boiler")
	if err != nil || len(damaged) != 0 {
		t.Fatal(damaged, err)
	}
	const want = "1 crash 12, 2 crash 11, 3 crash 10, 4 crash 9, 5 crash 8, 6 crash 7, 7 crash 6, 8 crash 5, 9 crash 4, 10 crash 3"
	if got := summaries(crashes); got != want {
		t.Errorf("kept %s", got)
	}
	if c := crashes[0]; c.Stack != nil || c.Lines != nil || c.Calls != nil {
		t.Errorf("listed whole: %+v", c)
	}
	got, err := s.Get("boiler", 10)
	if err != nil {
		t.Fatal(err)
	}
	whole := report(3)
	whole.N = 10
	if d := cmp.Diff(whole, got); d != "" {
		t.Errorf("came back changed (-want +got):\n%s", d)
	}
	for _, n := range []int{11, 0, -1} {
		if _, err := s.Get("boiler", n); !errors.Is(err, ErrNotFound) {
			t.Errorf("crash %d: %v", n, err)
		}
	}
	if _, err := s.Get("pump", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a channel that never crashed: %v", err)
	}
	if crashes, _, err := s.List("pump"); err != nil || len(crashes) != 0 {
		t.Errorf("a channel that never crashed: %v, %v", crashes, err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "crashes", "boiler"))
	if err != nil || len(files) != 10 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// The names of channels come from outside, and never lead elsewhere.
func TestNamesStayInTheFolder(t *testing.T) {
	s, log := open(t, t.TempDir(), nil)
	for _, name := range []string{"..", "", "a/b", `a\b`, "a.b", strings.Repeat("a", 200)} {
		if _, _, err := s.List(name); err == nil {
			t.Errorf("%q was listed", name)
		}
		if _, err := s.Get(name, 1); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("%q was looked at: %v", name, err)
		}
		if _, err := s.Quarantined(name); err == nil {
			t.Errorf("%q may be quarantined", name)
		}
	}
	s.Add(message.Crash{Channel: "../evil"})
	s.Quarantine(message.Quarantine{Channel: "../evil"})
	finish(t, s)
	if n := strings.Count(log.String(), "no name of a channel"); n != 2 {
		t.Errorf("the log has\n%s", log)
	}
}

func TestBoundedInBytes(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir, func(c *Config) { c.ReportBytes = 16 << 10 })
	r := report(1)
	hostile := strings.Repeat("\x01", 1<<20) // six bytes each in JSON
	r.Failure.Summary = hostile
	for range 1000 {
		r.Stack = append(r.Stack, hostile)
		r.Lines = append(r.Lines, message.CrashLine{Text: hostile})
		r.Calls = append(r.Calls, message.CrashCall{Name: "read", Args: hostile, Result: hostile})
	}
	r.Calls = append(r.Calls, message.CrashCall{Name: "the last"})
	s.Add(r)
	finish(t, s)
	info, err := os.Stat(filepath.Join(dir, "crashes", "boiler", "00000001.json"))
	if err != nil || info.Size() > 16<<10 {
		t.Fatalf("%v, %v", info, err)
	}
	got, err := s.Get("boiler", 1)
	if err != nil || !got.Cut || len(got.Failure.Summary) != maxText {
		t.Errorf("got %d bytes of summary, cut %t, %v", len(got.Failure.Summary), got.Cut, err)
	}
	if len(r.Calls) != 1002 || len(r.Stack[2]) != 1<<20 {
		t.Error("the caller's own was changed")
	}
}

// What is cut is what is furthest from the crash.
func TestCutKeepsTheEnd(t *testing.T) {
	r := report(1)
	for n := range 300 {
		text := fmt.Sprintf("%d %s", n, strings.Repeat("x", 100))
		r.Stack = append(r.Stack, text)
		r.Lines = append(r.Lines, message.CrashLine{Text: text})
	}
	data, err := encode(r, leastReportBytes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(data, "boiler")
	if err != nil || !got.Cut {
		t.Fatal(got.Cut, err)
	}
	if last := got.Lines[len(got.Lines)-1].Text; !strings.HasPrefix(last, "299 ") || got.Stack[0] != "main.poll(i32)" {
		t.Errorf("kept the line %q and the function %q", last, got.Stack[0])
	}
}

func TestBoundedInAll(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "crashes", "gone", "00000001.json")
	if err := (real{}).write(old, bytes.Repeat([]byte("x"), 10<<10)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "crashes", "notes.txt")
	if err := os.WriteFile(other, bytes.Repeat([]byte("x"), 10<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "crashes", "gone", "00000002.json.tmp")
	if err := os.WriteFile(cut, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, dir, func(c *Config) { c.TotalBytes = 8 << 10 })
	s.Add(report(1))
	finish(t, s)
	for path, want := range map[string]bool{old: false, cut: false, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := s.Get("boiler", 1); err != nil {
		t.Error(err)
	}
}

func TestDamagedFilesAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, 1, 2)
	folder := filepath.Join(dir, "crashes", "boiler")
	for name, text := range map[string]string{
		"00000003.json": "", "00000004.json": `{"channel":"pump","failure":{"code":"exit","time":"2026-11-23T08:20:01Z"}}`,
		"00000005.json": `{"channel":"boiler"}`, "00000006.json": strings.Repeat(" ", 256<<10+1), "6.json": "{}", "notes": "{}",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, log := open(t, dir, nil)
	crashes, damaged, err := s.List("boiler")
	if err != nil || summaries(crashes) != "1 crash 2, 2 crash 1" {
		t.Errorf("%s, %v", summaries(crashes), err)
	}
	if d := cmp.Diff([]string{"00000006.json", "00000005.json", "00000004.json", "00000003.json"}, damaged); d != "" {
		t.Error(d)
	}
	if n := strings.Count(log.String(), "post-mortem damaged"); n != 4 {
		t.Errorf("the log has\n%s", log)
	}
	s.Add(report(3))
	finish(t, s)
	if c, err := s.Get("boiler", 1); err != nil || c.Failure.Summary != "crash 3" {
		t.Errorf("after them: %+v, %v", c, err)
	}
}

// faulty is a disk that fails until it is mended, and holds writes while held.
type faulty struct {
	real
	mu   sync.Mutex
	err  error
	hold chan struct{}
	came chan struct{}
}

func (f *faulty) write(path string, data []byte) error {
	if f.hold != nil {
		f.came <- struct{}{}
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return &os.PathError{Op: "write", Path: path, Err: f.err}
	}
	return f.real.write(path, data)
}

func (f *faulty) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// A full disk costs a line of the log for each crash, and nothing once there is room again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	disk := &faulty{err: syscall.ENOSPC}
	s, log := open(t, dir, nil)
	s.disk = disk // nothing was told yet
	s.Add(report(1))
	s.Quarantine(message.Quarantine{Channel: "boiler", Reason: "r", Digest: "d", Since: message.Time{Time: at}})
	finish(t, s)
	for _, want := range []string{"post-mortem not kept", "quarantine not kept"} {
		if strings.Count(log.String(), want) != 1 || !strings.Contains(log.String(), "no space left") {
			t.Errorf("the log has not %q once:\n%s", want, log)
		}
	}
	if crashes, damaged, err := s.List("boiler"); err != nil || len(crashes)+len(damaged) != 0 {
		t.Errorf("kept %v, %v, %v", crashes, damaged, err)
	}
	disk.set(nil)
	again, log := open(t, dir, nil)
	again.Add(report(2))
	finish(t, again)
	if c, err := again.Get("boiler", 1); err != nil || c.Failure.Summary != "crash 2" || log.String() != "" {
		t.Errorf("with room again: %+v, %v\n%s", c, err, log)
	}
}

// A disk that hangs holds up nobody: more than the queue takes are dropped, each with a line of the log.
func TestDiskHangs(t *testing.T) {
	disk := &faulty{hold: make(chan struct{}), came: make(chan struct{}, queued+2)}
	s, log := open(t, t.TempDir(), nil)
	s.disk = disk
	s.Add(report(1))
	<-disk.came
	for n := range queued + 3 {
		s.Add(report(n + 2))
	}
	if n := strings.Count(log.String(), "post-mortem dropped"); n != 3 {
		t.Errorf("%d dropped:\n%s", n, log)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("close: %v", err)
	}
	close(disk.hold)
	finish(t, s)
	if crashes, _, err := s.List("boiler"); err != nil || len(crashes) != defaultKeep || crashes[0].Failure.Summary != fmt.Sprint("crash ", queued+1) {
		t.Errorf("kept %s, %v", summaries(crashes), err)
	}
}

// A folder that cannot be made is one line as well.
func TestNoFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "crashes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, log := open(t, dir, nil)
	s.Add(report(1))
	finish(t, s)
	if strings.Count(log.String(), "post-mortem not kept") != 1 {
		t.Errorf("the log has\n%s", log)
	}
	if _, _, err := s.List("boiler"); err == nil {
		t.Error("it was listed")
	}
}

func TestConfig(t *testing.T) {
	_, err := New(Config{Keep: -1, ReportBytes: 1, TotalBytes: -1})
	for _, want := range []string{"data directory", "logger", "-1 post-mortems", "1 bytes a post-mortem", "-1 bytes in all"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// FuzzRead: whatever is in a file, it is read or left out.
func FuzzRead(f *testing.F) {
	data, err := encode(report(1), leastReportBytes)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(`{"channel":"boiler","failure":{"code":"exit","time":"2026-11-23T08:20:01Z"},"cpu":-1e308}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data, "boiler")
		if err != nil {
			return
		}
		again, err := encode(r, 1<<20)
		if err != nil {
			return
		}
		if _, err := decode(again, "boiler"); err != nil {
			t.Errorf("%s came back as what cannot be read: %v", data, err)
		}
	})
}
