package module

import (
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
)

// maxImage is how many bytes of a memory are worth an image: they stay in the machine's memory for as long as the module
// is loaded.
const maxImage = 32 << 20

// image is what an instance was when its initialisation had ended: another one that is made the same goes on from there.
//
// It has the memory, the globals that can change, and what was printed. Nothing else can have changed: a module whose
// tables or segments can is not given an image, no import of ours works before that moment, WASI gives it no file, and the
// meter's counters begin anew. What the guest read of clocks goes on, because all instances of a process have the same
// ones. What it read of random numbers is common to all instances.
type image struct {
	// pages has the memory's content up to the last page that is not zero, size is the memory's size.
	pages pages
	size  uint64
	// globals are the values of meter.Detached.Globals, in their order.
	globals []uint64
	printed string
}

// errUnlike is why an instance is not the same as the next one would be.
var errUnlike = errors.New("its initialisation was refused what the next one may get")

// snapshot makes an image of an instance that was initialised and not called yet.
func (i *Instance) snapshot() (*image, error) {
	if i.memory.refused.Load() || i.skipped != 0 {
		return nil, errUnlike
	}
	printed, all := i.output.text()
	if !all {
		return nil, fmt.Errorf("its initialisation prints more than %d lines", keptLines)
	}
	m := &image{size: i.memory.size.Load(), printed: printed}
	for _, name := range i.module.detached.Globals {
		m.globals = append(m.globals, i.guest.ExportedGlobal(name).Get())
	}
	var err error
	if m.pages, err = newPages(i.memory.area[:m.size]); err != nil {
		return nil, err
	}
	return m, nil
}

// restore makes the instance what the image is. Its memory begins with the image's pages already.
func (m *image) restore(i *Instance) error {
	memory := i.guest.Memory()
	if more := m.size/pageSize - uint64(memory.Size())/pageSize; more > 0 {
		if _, ok := memory.Grow(uint32(more)); !ok {
			return errors.New("grow the memory to its image's size")
		}
	}
	for n, name := range i.module.detached.Globals {
		i.guest.ExportedGlobal(name).(api.MutableGlobal).Set(m.globals[n])
	}
	if m.printed != "" {
		_, _ = i.output.Write([]byte(m.printed)) // never fails
	}
	return nil
}

// fill writes the data segments of a module that they were taken out of.
func (i *Instance) fill() error {
	d := i.module.detached
	memory, data := i.guest.Memory(), d.Data
	for n, s := range d.Segments {
		if !memory.Write(s.Offset, data[:s.Size]) {
			return fmt.Errorf("data[%d]: out of bounds memory access", n) // as wazero says it
		}
		data = data[s.Size:]
	}
	return nil
}
