package serial

import (
	"errors"
	"fmt"

	bugst "go.bug.st/serial"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// tries bounds how often a port is opened again because somebody else took the descriptor that was meant for it.
const tries = 3

// openLow opens a port at descriptors that its reads can wait for. It also returns what the port received meanwhile.
func openLow(r *reserve, path string) (port bugst.Port, head []byte, err error) {
	for range tries {
		err = r.lend(func() error {
			port, err = bugst.Open(path, &bugst.Mode{})
			if err != nil {
				return coded(err)
			}
			if head, err = tryOut(port); err != nil {
				_ = port.Close() // The first error counts.
			}
			return err
		})
		if err == nil {
			return port, head, nil
		}
		if !errors.Is(err, errHigh) {
			return nil, nil, err
		}
	}
	return nil, nil, &stream.Error{Code: driver.IOErrorOther, Err: err}
}

// tryOut reads once without waiting: where the descriptors are too high, that panics.
func tryOut(port bugst.Port) (head []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errHigh
		}
	}()
	if err := port.SetReadTimeout(0); err != nil {
		return nil, coded(err)
	}
	head = make([]byte, 64)
	n, err := port.Read(head)
	if err != nil {
		return nil, fmt.Errorf("first read: %w", coded(err))
	}
	return head[:n], nil
}
