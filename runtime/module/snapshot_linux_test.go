package module

import (
	"context"
	"encoding/binary"
	"os"
	goruntime "runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

// images counts the process's mappings and open files of images.
func images(t testing.TB) (mappings, files int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.Contains(to, "memfd:drover-image") {
			files++
		}
	}
	return strings.Count(string(maps), "memfd:drover-image"), files
}

// own counts the bytes of an instance's memory that are in the machine's memory for it alone (proc_pid_pagemap(5)).
func (m *memory) own(t testing.TB) uint64 {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const present, swapped, ofFile = 1 << 63, 1 << 62, 1 << 61
	page := uint64(os.Getpagesize())
	entries := make([]byte, uint64(len(m.area))/page*8)
	if _, err := f.ReadAt(entries, int64(uint64(uintptr(unsafe.Pointer(&m.area[0])))/page*8)); err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for ; len(entries) > 0; entries = entries[8:] {
		if e := binary.NativeEndian.Uint64(entries); e&(present|swapped) != 0 && e&ofFile == 0 {
			n += page
		}
	}
	return n
}

// TestImageIsSealed tries to write to an image, and to change its size.
func TestImageIsSealed(t *testing.T) {
	m := loadOf(t, remembering(0), false)
	f := m.image.pages.file
	if _, err := f.WriteAt([]byte{1}, 0); err == nil {
		t.Error("it was written")
	}
	if f.Truncate(0) == nil || f.Truncate(1<<30) == nil {
		t.Error("its size was changed")
	}
	if _, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("it was mapped to be written")
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE); err == nil {
		t.Error("it was sealed again")
	}
}

// TestMemoryGoesBackAtOnce counts mappings and files over many instances, and after them.
func TestMemoryGoesBackAtOnce(t *testing.T) {
	binary, err := testdriver()
	if err != nil {
		t.Fatal(err)
	}
	if maps, files := images(t); maps != 0 || files != 0 {
		t.Fatalf("%d mappings and %d files before", maps, files)
	}
	l := newLoader(t)
	m, err := l.Load(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	if maps, files := images(t); maps != 0 || files != 1 {
		t.Errorf("%d mappings and %d files of a module", maps, files)
	}
	for range 100 {
		var all []*Instance
		for range 10 {
			i, err := m.Instantiate(t.Context(), failure.PhaseConfigure, InstanceConfig{Imports: nothingGranted()})
			if err != nil {
				t.Fatal(err)
			}
			if err := i.Configure(t.Context(), driver.Config{Settings: "{}"}); err != nil {
				t.Fatal(err)
			}
			all = append(all, i)
		}
		if maps, files := images(t); maps != len(all) || files != 1 {
			t.Fatalf("%d mappings and %d files of %d instances", maps, files, len(all))
		}
		for _, i := range all {
			area := i.memory.area
			if err := i.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := unix.Madvise(area[:os.Getpagesize()], unix.MADV_NORMAL); err != unix.ENOMEM {
				t.Fatalf("the memory of a closed instance is there: %v", err)
			}
		}
	}
	if maps, files := images(t); maps != 0 || files != 1 {
		t.Errorf("%d mappings and %d files after 1000 instances", maps, files)
	}
	if err := m.Release(context.Background()); err != nil {
		t.Error(err)
	}
	if maps, files := images(t); maps != 0 || files != 0 {
		t.Errorf("%d mappings and %d files without a module", maps, files)
	}
}

// TestNoImage has a module load where no file can be had, and its instances start the ordinary way.
func TestNoImage(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	h := remembering(0)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &none); err != nil {
		t.Fatal(err)
	}
	m := loadOf(t, h, false)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if s := m.Start(); s.Snapshot || !strings.Contains(s.Reason, "the image") {
		t.Errorf("%+v", s)
	}
	if maps, files := images(t); maps != 0 || files != 0 {
		t.Errorf("%d mappings and %d files", maps, files)
	}
	i := m.instantiate(t, InstanceConfig{})
	if got, _ := i.guest.Memory().ReadUint32Le(nothingAt + 512); got != 7 {
		t.Errorf("the initialisation left %d", got)
	}
}

// Budgets of an instance of a driver in plain Go that was not called yet, in bytes.
const (
	budgetOwn  = 64 << 10
	budgetHeap = 32 << 10
)

// TestInstanceBudget counts what one more instance of the Modbus driver takes before it does anything: pages of its memory
// that it shares with nobody, and bytes of the node's heap.
func TestInstanceBudget(t *testing.T) {
	if !compiles() {
		t.Skip("the interpreter keeps its own stack for each instance")
	}
	binary, err := modbus()
	if err != nil {
		t.Fatal(err)
	}
	m := loadOf(t, binary, false)
	const n = 50
	m.instantiate(t, InstanceConfig{}) // what is made once
	before, all := heap(), make([]*Instance, n)
	for k := range all {
		all[k] = m.instantiate(t, InstanceConfig{})
	}
	each := (heap() - before) / n
	own := all[n-1].memory.own(t)
	t.Logf("an instance has %d bytes of heap and %d bytes of its memory", each, own)
	if each > budgetHeap || own > budgetOwn {
		t.Errorf("%d bytes of heap, at most %d; %d of memory, at most %d", each, budgetHeap, own, budgetOwn)
	}
}

// heap is how many bytes of the heap are in use.
func heap() uint64 {
	goruntime.GC()
	goruntime.GC() // what finalizers let go
	var s goruntime.MemStats
	goruntime.ReadMemStats(&s)
	return s.HeapAlloc
}
