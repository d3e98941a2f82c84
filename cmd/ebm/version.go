package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (versionCmd) Help() string {
	return `Examples:

    ebm version
    ebm --version`
}

// build is the object of `ebm version --json`.
type build struct {
	Version  string `json:"version"`  // of the module, or devel
	Revision string `json:"revision"` // of the source, if built from a clone
	Modified bool   `json:"modified"` // whether the clone had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (c *versionCmd) Run(e *env) error {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, b)
	}
	fmt.Fprintf(e.stdout, "ebm %s, %s, %s\n", b.Version, b.Go, b.Platform)
	return nil
}
