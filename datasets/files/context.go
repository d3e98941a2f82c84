package files

import (
	"context"
	"io"
)

// Context returns a reader that ends with the context's error once the context is done. A read in progress is finished
// first: it is meant for regular files, where reads are quick.
func Context(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// Interruptible returns a reader that ends with the context's error as soon as the context is done, even while a read
// blocks: for standard input, where a read may block forever. The blocked read is abandoned, and its data lost.
func Interruptible(ctx context.Context, r io.Reader) io.Reader {
	return &interruptible{ctx: ctx, r: r, done: make(chan int, 1)}
}

type interruptible struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte // filled by a goroutine while busy
	rest []byte // part of buf not yet returned
	busy bool
	err  error
	done chan int
}

func (p *interruptible) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(p.rest) == 0 {
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		if !p.busy && p.err != nil {
			return 0, p.err
		}
		if !p.busy {
			if p.buf == nil {
				p.buf = make([]byte, 1<<16)
			}
			p.busy = true
			go func() {
				n, err := p.r.Read(p.buf)
				p.err = err
				p.done <- n
			}()
		}
		select {
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		case n := <-p.done:
			p.busy, p.rest = false, p.buf[:n]
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
