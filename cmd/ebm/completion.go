package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash, zsh, fish" help:"${enum}."`
}

func (completionCmd) Help() string {
	return `Examples:

    source <(ebm completion bash)
    ebm completion zsh > ~/.zfunc/_ebm
    ebm completion fish > ~/.config/fish/completions/ebm.fish`
}

// words returns the words that may follow a flag: known names, or the values of its enumeration.
func words(f *kong.Flag) []string {
	switch f.Name {
	case "dataset", "datasets":
		return datasets.Names()
	case "objectives":
		return objectives.Names()
	}
	if setting, ok := fit.Lookup(f.Name); ok && setting.Options != nil {
		return setting.Options
	}
	if f.Enum == "" {
		return nil
	}
	return f.EnumSlice()
}

// extensions returns the extensions of files that may be given instead of such a name.
func extensions(f *kong.Flag) []string {
	if f.Name == "dataset" || f.Name == "datasets" {
		return []string{"csv", "tsv", "txt", "npy", "npz", "png"}
	}
	return nil
}

// arguments returns the words that a command takes besides flags; nil means files.
func arguments(n *kong.Node) []string {
	switch n.Name {
	case "data":
		return datasets.Names()
	case "verify":
		return checkNames()
	case "completion":
		return n.Positional[0].EnumSlice()
	}
	return nil
}

// Run writes the script, generated from the grammar.
func (c *completionCmd) Run(e *env, k *kong.Context) error {
	commands := slices.DeleteFunc(slices.Clone(k.Model.Children), func(n *kong.Node) bool { return n.Hidden })
	switch c.Shell {
	case "bash":
		bash(e.stdout, commands)
	case "zsh":
		fmt.Fprintln(e.stdout, "#compdef ebm\nautoload -U +X bashcompinit && bashcompinit")
		bash(e.stdout, commands)
		// The first key press loads this file as the function _ebm, which must then also complete.
		fmt.Fprintln(e.stdout, "[[ ${funcstack[1]-} != _ebm ]] || _bash_complete -o filenames -F _ebm")
	case "fish":
		fish(e.stdout, commands)
	}
	return nil
}

// bash writes the completion for bash, which zsh understands too. Readline treats the = in --flag=value as a separate
// word; lists are completed after their last comma.
func bash(w io.Writer, commands []*kong.Node) {
	var names []string
	for _, n := range commands {
		names = append(names, n.Name)
	}
	fmt.Fprintf(w, `_ebm() {
  local cur prev cmd list words ext
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"; cmd="${COMP_WORDS[1]}"
  if [ "$cur" = "=" ]; then cur=""; elif [ "$prev" = "=" ]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$COMP_CWORD" -eq 1 ] || { [ "$cmd" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
    COMPREPLY=($(compgen -W "%s help" -- "$cur")); return
  fi
  case "$cmd $prev" in
`, strings.Join(names, " "))
	for _, n := range commands {
		for _, f := range n.Flags {
			if list := words(f); len(list) > 0 {
				fmt.Fprintf(w, "    %q) words=%q", n.Name+" --"+f.Name, strings.Join(list, " "))
				if ext := extensions(f); ext != nil {
					fmt.Fprintf(w, " ext=%q", strings.Join(ext, "|"))
				}
				fmt.Fprintln(w, ";;")
			}
		}
	}
	fmt.Fprintf(w, `    "train --set"|"compare --set") COMPREPLY=($(compgen -S = -W %q -- "$cur")); compopt -o nospace 2>/dev/null; return;;
  esac
  if [ -n "$words" ]; then
    case "$cur" in *,*) list="${cur%%,*},"; cur="${cur##*,}";; esac
    COMPREPLY=($(compgen -P "$list" -W "$words" -- "$cur"))
    if [ -n "$ext" ]; then
      local IFS=$'\n'
      COMPREPLY+=($(compgen -P "$list" -d -- "$cur"; compgen -P "$list" -f -- "$cur" | grep -E "\.($ext)$"))
    fi
    return
  fi
  case "$cmd" in
`, strings.Join(fit.Keys(), " "))
	for _, n := range commands {
		fmt.Fprintf(w, "    %s) [[ \"$cur\" == -* ]] && words=%q", n.Name, strings.Join(flagWords(n), " "))
		if list := arguments(n); list != nil {
			fmt.Fprintf(w, " || words=%q", strings.Join(list, " "))
		}
		fmt.Fprintln(w, ";;")
	}
	fmt.Fprint(w, `  esac
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); else local IFS=$'\n'; COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _ebm ebm
`)
}

func fish(w io.Writer, commands []*kong.Node) {
	for _, n := range commands {
		fmt.Fprintf(w, "complete -c ebm -n __fish_use_subcommand -f -a %s -d %q\n", n.Name, n.Help)
		if list := arguments(n); list != nil {
			fmt.Fprintf(w, "complete -c ebm -n '__fish_seen_subcommand_from %s' -f -a %q\n", n.Name,
				strings.Join(list, " "))
		}
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			line := fmt.Sprintf("complete -c ebm -n '__fish_seen_subcommand_from %s' -l %s -d %q", n.Name, f.Name,
				f.Help)
			if list := words(f); len(list) > 0 {
				only := " -x"
				if extensions(f) != nil {
					only = " -r -F"
				}
				line += fmt.Sprintf("%s -a %q", only, strings.Join(list, " "))
			} else if !f.IsBool() {
				line += " -r -F"
			}
			fmt.Fprintln(w, line)
		}
	}
}

// flagWords lists the flags of a command as typed.
func flagWords(n *kong.Node) []string {
	words := []string{"--help"}
	for _, f := range n.Flags {
		if !f.Hidden && f.Name != "help" {
			words = append(words, "--"+f.Name)
		}
	}
	return words
}
