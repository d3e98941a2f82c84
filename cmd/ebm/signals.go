package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// untilSignal returns a context that ends with the first signal that asks the program to end: Ctrl-C, SIGTERM, or
// SIGHUP, which a closing terminal sends, unless that is ignored, as under nohup. After the first signal the default
// action is restored: a second one ends the program at once. Writing to a pipe without a reader is a write error, not a
// signal: training continues if its stderr is gone.
func untilSignal() (ctx context.Context, stop func()) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	asked := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		asked = append(asked, syscall.SIGHUP)
	}
	ctx, stop = signal.NotifyContext(context.Background(), asked...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// holds counts what is worth waiting for after a signal: work being saved. Anything else that a command does may be
// aborted, whether it checks the context or not.
type holds struct{ n atomic.Int32 }

const (
	grace  = 600 * time.Millisecond // for a command to end by itself, so that the program ends within a second
	notice = time.Second            // after which the user is told what it is waiting for
	tick   = 20 * time.Millisecond
)

// hold asks for time until release is called.
func (e *env) hold() (release func()) {
	e.holds.n.Add(1)
	var once atomic.Bool
	return func() {
		if once.CompareAndSwap(false, true) {
			e.holds.n.Add(-1)
		}
	}
}

// saver is a command that saves its work when it is interrupted.
type saver interface{ saves() }

func (*compareCmd) saves() {}

// wait returns the exit code of the command, or that of an interruption if the command has not ended within the grace
// period and nothing holds it.
func (h *holds) wait(ctx context.Context, stderr io.Writer, command func() int) int {
	done := make(chan int, 1)
	go func() { done <- command() }()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	asked := time.Now()
	held := asked // when it was last held
	for told := false; ; {
		select {
		case code := <-done:
			return code
		case <-ticks.C:
		}
		now := time.Now()
		if h.n.Load() > 0 {
			held = now
		}
		if now.Sub(held) >= grace {
			fmt.Fprintln(stderr, "ebm: interrupted")
			return exit.Interrupted
		}
		if now.Sub(asked) >= notice && !told && h.n.Load() > 0 {
			told = true
			fmt.Fprintln(
				stderr, "ebm: saving the run; Ctrl-C again ends it at once, and loses what came after its last checkpoint")
		}
	}
}
