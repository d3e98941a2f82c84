package rundir

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// reserve holds descriptors back for the files of a run: where a process has no more of them, because clients of its page or
// another part of the program hold them, what is written must not fail for it.
type reserve struct {
	held []*os.File
	on   bool // of a folder that is locked
}

const (
	reserved  = 6               // descriptors: a file, and the folders on the way to it
	exhausted = 5 * time.Second // after which descriptors that do not come back are an error
)

func (r *reserve) hold() {
	r.on = true
	for len(r.held) < reserved {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return // later, perhaps
		}
		r.held = append(r.held, f)
	}
}

func (r *reserve) end() {
	r.release()
	r.on = false
}

func (r *reserve) release() {
	for _, f := range r.held {
		f.Close()
	}
	r.held = nil
}

// with does something. If that fails for want of descriptors it is done again with those of the reserve, which others of
// the process may take before it: then it waits for some to come back.
func (r *reserve) with(do func() error) error {
	if !r.on {
		return do()
	}
	defer r.hold()
	for wait, start := time.Millisecond, time.Now(); ; wait *= 2 {
		err := do()
		if !noDescriptors(err) || time.Since(start) > exhausted {
			return err
		}
		if r.held == nil {
			time.Sleep(wait)
		}
		r.release()
	}
}

// noDescriptors tells that the process, or the system, has no more descriptors.
func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
