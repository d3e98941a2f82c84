package rundir

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// reserve holds descriptors in reserve for the files of a run, so that writing does not fail if the process has run out
// of them because clients of its page or another part of the program hold them.
type reserve struct {
	held []*os.File
	on   bool // the folder is locked
}

const (
	reserved  = 6               // descriptors: a file, and the folders on its path
	exhausted = 5 * time.Second // after which missing descriptors are an error
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

// with runs do. If that fails for lack of descriptors, it runs it again with those of the reserve; if other parts of
// the process take them first, it waits for some to be released.
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

// noDescriptors reports whether the process, or the system, has run out of descriptors.
func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
