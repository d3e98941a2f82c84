package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/datasets/files"
)

// otherNames maps names of flags in other programs to ours.
var otherNames = map[string]string{
	"learning-rate": "lr", "learningrate": "lr", "learning_rate": "lr", "epochs": "steps", "epoch": "steps",
	"iterations": "steps", "iters": "steps",
	"max-steps": "steps", "num-steps": "steps", "batch-size": "batch", "batch_size": "batch", "bs": "batch",
	"output": "out", "out-dir": "out",
	"output-dir": "out", "data": "dataset", "input": "dataset", "file": "dataset", "loss": "objective",
	"method": "objective", "layers": "hidden",
	"hidden-size": "hidden", "n-samples": "samples", "num-samples": "samples", "random-seed": "seed",
	"workers": "threads", "jobs": "threads",
	"dtype": "precision", "optim": "optimizer", "wd": "weight-decay", "normalize": "standardize",
	"config-file": "config", "from": "resume",
}

// meant returns what was probably meant by a flag under another name, or a dataset without a flag; "" if unknown.
func meant(text string, n *kong.Node) string {
	if n == nil {
		return ""
	}
	has := func(name string) bool {
		return slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == name })
	}
	if flag, ok := strings.CutPrefix(text, "unknown flag --"); ok {
		flag, _, _ = strings.Cut(flag, ",")
		if name := otherNames[strings.ToLower(flag)]; name != "" && has(name) {
			hint := "did you mean --" + name + "?"
			if name == "steps" && strings.HasPrefix(flag, "epoch") {
				hint = "training is counted in batches: --steps"
			}
			return hint
		}
		return ""
	}
	word, ok := strings.CutPrefix(text, "unexpected argument ")
	if !ok || !has("dataset") {
		return ""
	}
	_, err := os.Stat(word)
	if err == nil || slices.Contains(datasets.Names(), word) || filepath.Ext(word) != "" {
		return "did you mean --dataset " + exit.Quote(word) + "?"
	}
	if near := files.Nearest(word, datasets.Names()); near != "" {
		return "did you mean --dataset " + near + "?"
	}
	return ""
}

// atHome expands the ~ in --flag=~/x, which a shell does not.
func atHome(args []string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return args
	}
	out := slices.Clone(args)
	for i, a := range out {
		flag, value, ok := strings.Cut(a, "=")
		if ok && strings.HasPrefix(flag, "--") && (value == "~" || strings.HasPrefix(value, "~/")) {
			out[i] = flag + "=" + home + value[1:]
		}
	}
	return out
}
