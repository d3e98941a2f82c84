package main

import (
	"errors"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/page"
	"github.com/stheno-ebm/stheno/viz/live"
)

type showCmd struct {
	RunDir string `arg:"" name:"run" help:"Run directory."`
	Live   string `default:"${live}" placeholder:"ADDR" help:"Address of the page (${default}); :0 takes a free port."`

	LiveRemote bool `name:"live-remote" help:"Allow an address that other machines can reach: anyone with the token can see and stop the run, unencrypted."`

	Browser bool `default:"true" negatable:"" help:"Open the page in the browser of this desktop, if there is one."`
}

func (showCmd) Help() string {
	return `Serves the page of a run that has ended, as --live shows it while it runs, until Ctrl-C. The printed address includes the token that every request needs.

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
	srv, err := page.Show(m, c.Live, c.LiveRemote)
	if err != nil {
		return pageError(c.Live, err)
	}
	e.logf("%s (Ctrl-C ends it)", srv.URL())
	e.warnRemote(srv)
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

// pageError returns the reason why there is no page at the address of --live.
func pageError(addr string, err error) error {
	if errors.Is(err, live.ErrRemote) {
		return exit.Usagef("--live %s: other machines reach that address; add --live-remote if they are to, "+
			"or take %s", addr, live.DefaultAddr)
	}
	return exit.Usagef("--live %s: %w", addr, err)
}

// warnRemote warns if other machines can reach the page.
func (e *env) warnRemote(srv *live.Server) {
	if srv.Remote() {
		e.logf(
			"warning: other machines reach this page, unencrypted: whoever learns the token sees data and settings, and " +
				"can stop the run")
	}
}

// liveArgs gives --live its default address if none follows: an address has a colon.
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
