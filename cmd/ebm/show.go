package main

import (
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/page"
	"github.com/stheno-ebm/stheno/viz/live"
)

type showCmd struct {
	RunDir string `arg:"" name:"run" help:"Run directory."`
	Live   string `default:"${live}" placeholder:"ADDR" help:"Address of the page (${default}); :0 takes a free port."`

	Browser bool `default:"true" negatable:"" help:"Open the page in the browser of this desktop, if there is one."`
}

func (showCmd) Help() string {
	return `Serves the page of a run that has ended, as --live shows it while it runs, until Ctrl-C. The printed address has the token that every request needs.

Examples:

    ebm show runs/4squares-sm-1
    ebm show runs/4squares-sm-1 --live :0`
}

func (c *showCmd) Run(e *env) error {
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	e.sayGone(m)
	srv, err := page.Show(m, c.Live)
	if err != nil {
		return exit.Usagef("--live %s: %w", c.Live, err)
	}
	e.logf("%s (Ctrl-C ends it)", srv.URL())
	if c.Browser && terminal(e.stderr) && desktop() {
		closePage, err := browse(srv.URL())
		if err != nil {
			e.logf("note: no browser could be opened: %v", err)
		}
		defer closePage()
	}
	<-e.ctx.Done()
	return srv.Close()
}

// liveArgs gives --live its default address where none follows: an address has a colon.
func liveArgs(args []string) []string {
	out := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--live" && (i+1 == len(args) || !strings.Contains(args[i+1], ":")) {
			a += "=" + live.DefaultAddr
		}
		out = append(out, a)
	}
	return out
}
