package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

//go:generate sh -c "go run . reference > README.md.new && mv README.md.new README.md"

type referenceCmd struct{}

// Run writes README.md: every command and flag, from the structs that parse them.
func (referenceCmd) Run(e *env, k *kong.Context) error {
	w := e.stdout
	fmt.Fprint(w, referenceHead)
	for _, n := range k.Model.Children {
		if !n.Hidden {
			reference(w, n)
		}
	}
	return nil
}

const referenceHead = `# ebm

Trains, samples, evaluates and draws energy-based models. This page is made from the program itself by
` + "`go generate ./cmd/ebm`" + `.

Results go to stdout, progress and log lines to stderr; with ` + "`--json`" + ` stdout is JSON and nothing else. No progress bar is
drawn when stderr is not a terminal; ` + "`NO_COLOR`" + ` is heeded.

| exit code | means |
|---|---|
| 0 | success |
| 1 | the work failed: diverged, a check failed, the disk is full |
| 2 | the command line or a file is wrong; one line says what, and what would be right |
| 130 | interrupted, after a checkpoint: ` + "`ebm train --resume RUN`" + ` goes on, bit for bit |

Every setting of ` + "`ebm train`" + ` is a key of ` + "`config.json`" + ` in the run directory, which ` + "`--config`" + ` accepts. Flags go over
` + "`--set`" + `, that over the file, that over what suits the objective, that over the defaults shown here. Of a setting that is
given twice the last value counts: ` + "`--hidden 8 --hidden 16,4`" + ` is 16,4.
`

func reference(w io.Writer, n *kong.Node) {
	usage := "ebm " + n.Name
	for _, p := range n.Positional {
		name := strings.ToUpper(p.Name)
		if !p.Required {
			name = "[" + name + "]"
		}
		usage += " " + name
	}
	fmt.Fprintf(w, "\n## %s\n\n%s\n", usage, n.Help)
	text, examples, _ := strings.Cut(n.Detail, "Examples:")
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(w, "\n%s\n", text)
	}
	if examples = strings.Trim(examples, "\n"); examples != "" {
		fmt.Fprintf(w, "\n%s\n", examples)
	}
	group := "-"
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		title := ""
		if f.Group != nil {
			title = f.Group.Title
		}
		if title != group {
			group = title
			fmt.Fprintf(w, "\n| %s | |\n|---|---|\n", strings.TrimSuffix(title, ":"))
		}
		name := "`--" + f.Name
		if !f.IsBool() {
			name += " " + f.FormatPlaceHolder()
		}
		name += "`"
		if f.Short != 0 {
			name += fmt.Sprintf(", `-%c`", f.Short)
		}
		fmt.Fprintf(w, "| %s | %s |\n", strings.ReplaceAll(name, "|", "\\|"), strings.ReplaceAll(f.Help, "|", "\\|"))
	}
}
