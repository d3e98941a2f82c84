package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/job"
	"github.com/stheno-ebm/stheno/cmd/ebm/internal/model"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCmd) Help() string {
	return `Examples:

    source <(ebm completion bash)
    ebm completion zsh > ~/.zfunc/_ebm
    ebm completion fish > ~/.config/fish/completions/ebm.fish`
}

// values are the words that may follow a flag.
func values() map[string][]string {
	return map[string][]string{
		"dataset": datasets.Names(), "objective": objectives.Names(), "sampler": model.Samplers(), "energy": model.Energies(),
		"activation": energy.Activations(), "precision": {"float32", "float64"}, "schedule": {"cosine", "constant"},
		"optimizer": {"adam", "adamw"}, "kind": job.Kinds(), "format": {"png", "svg", "pdf"},
	}
}

// Run writes the script, made from the grammar itself.
func (c *completionCmd) Run(e *env, k *kong.Context) error {
	commands := slices.DeleteFunc(slices.Clone(k.Model.Children), func(n *kong.Node) bool { return n.Hidden })
	switch c.Shell {
	case "bash":
		bash(e.stdout, commands)
	case "zsh":
		fmt.Fprintln(e.stdout, "#compdef ebm\nautoload -U +X bashcompinit && bashcompinit")
		bash(e.stdout, commands)
	case "fish":
		fish(e.stdout, commands)
	}
	return nil
}

// bash writes the completion for bash, which zsh understands too.
func bash(w io.Writer, commands []*kong.Node) {
	var names []string
	for _, n := range commands {
		names = append(names, n.Name)
	}
	fmt.Fprintf(w, `_ebm() {
  local cur prev cmd
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"; cmd="${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "%s" -- "$cur")); return
  fi
  case "$prev" in
`, strings.Join(names, " "))
	all := values()
	for _, flag := range sortedKeys(all) {
		fmt.Fprintf(w, "    --%s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return;;\n", flag, strings.Join(all[flag], " "))
	}
	fmt.Fprint(w, "  esac\n  case \"$cmd\" in\n")
	for _, n := range commands {
		fmt.Fprintf(w, "    %s) [[ \"$cur\" == -* ]] && { COMPREPLY=($(compgen -W %q -- \"$cur\")); return; };;\n", n.Name, strings.Join(flagWords(n), " "))
	}
	fmt.Fprint(w, `  esac
  [ "$cmd" = data ] && [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W "`+strings.Join(all["dataset"], " ")+`" -- "$cur")); return; }
  COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _ebm ebm
`)
}

func fish(w io.Writer, commands []*kong.Node) {
	fmt.Fprintln(w, "complete -c ebm -f")
	all := values()
	for _, n := range commands {
		fmt.Fprintf(w, "complete -c ebm -n __fish_use_subcommand -a %s -d %q\n", n.Name, n.Help)
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			line := fmt.Sprintf("complete -c ebm -n '__fish_seen_subcommand_from %s' -l %s -d %q", n.Name, f.Name, f.Help)
			if words, ok := all[f.Name]; ok {
				line += fmt.Sprintf(" -x -a %q", strings.Join(words, " "))
			} else if !f.IsBool() {
				line += " -r -F"
			}
			fmt.Fprintln(w, line)
		}
	}
}

// flagWords lists the flags of a command as they are typed.
func flagWords(n *kong.Node) []string {
	words := []string{"--help"}
	for _, f := range n.Flags {
		if !f.Hidden && f.Name != "help" {
			words = append(words, "--"+f.Name)
		}
	}
	return words
}
