package module

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pages are the content of a memory in a file of the system's memory that nobody can change any more (memfd_create(2)).
type pages struct {
	file *os.File // nil when there is nothing but zeros
	// size is how many bytes of a memory the file stands for; held is how many of them are in memory.
	size, held uint64
}

// newPages copies the content of a memory, whose size is a multiple of pageSize.
func newPages(content []byte) (p pages, err error) {
	for at, end := range runs(content, uint64(os.Getpagesize())) {
		p.size, p.held = end, p.held+end-at
	}
	if p.held > maxImage {
		return pages{}, fmt.Errorf("its memory has %d bytes that are not zero, an image may have %d", p.held, maxImage)
	}
	if p.size == 0 {
		return p, nil
	}
	if p.file, err = memoryFile(); err != nil {
		return pages{}, err
	}
	if err := p.write(content); err != nil {
		return pages{}, errors.Join(err, p.close())
	}
	return p, nil
}

// memoryFile makes an empty file. Kernels before 6.3 do not know that its content is not to be executed.
func memoryFile() (*os.File, error) {
	const name = "drover-image"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// write writes what is not zero, and seals the file.
func (p *pages) write(content []byte) error {
	if err := p.file.Truncate(int64(p.size)); err != nil {
		return fmt.Errorf("size the image: %w", err)
	}
	for at, end := range runs(content[:p.size], uint64(os.Getpagesize())) {
		if _, err := p.file.WriteAt(content[at:end], int64(at)); err != nil {
			return fmt.Errorf("write the image: %w", err)
		}
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(p.file.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal the image: %w", err)
	}
	return nil
}

// into makes an area begin with the pages: the area's own from the moment on that it writes to them.
func (p *pages) into(area []byte) error {
	if p.file == nil {
		return nil
	}
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_FIXED | mapNoReserve
	_, err := unix.MmapPtr(int(p.file.Fd()), 0, unsafe.Pointer(&area[0]), uintptr(p.size), prot, flags)
	if err != nil {
		return fmt.Errorf("map the image of a guest's memory: %w", err)
	}
	return nil
}

func (p *pages) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}
