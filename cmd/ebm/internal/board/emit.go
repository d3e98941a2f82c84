package board

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

// Schedulers are the schedulers that Emit supports.
var Schedulers = []string{"slurm", "kubernetes"}

//go:embed slurm.sh.tmpl
var slurmText string

//go:embed kubernetes.yaml.tmpl
var kubernetesText string

var recipes = map[string]*template.Template{
	"slurm":      recipe("slurm", slurmText),
	"kubernetes": recipe("kubernetes", kubernetesText),
}

func recipe(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{"json": asJSON}).Parse(text))
}

// asJSON writes a value as YAML accepts it, on one line and without HTML escapes.
func asJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err
}

// Recipe is the content of a file for a scheduler.
type Recipe struct {
	Program string   // path of this program, for tasks on machines that have it
	Flags   []string // flags of ebm compare that say what is compared, and --out
	Emitted []string // flags with which the recipe was requested, for its first lines
	Image   string   // of the container
}

// Emit writes the file for a scheduler to do the comparison: as many tasks as the plan has shards, each with the
// workers of cfg.
func (cfg Config) Emit(w io.Writer, scheduler string, p *Plan, r Recipe) error {
	t, ok := recipes[scheduler]
	if !ok {
		return exit.Unknown("--emit", scheduler, Schedulers)
	}
	if filepath.IsAbs(cfg.Dir) && scheduler == "kubernetes" {
		return exit.Usagef("--out %s: want a path from the top of the volume, such as runs/compare", cfg.Dir)
	}
	args := append([]string{"compare"}, r.Flags...)
	args = append(args, "--shard", "auto", "--workers", fmt.Sprint(cfg.Workers), "--quiet")
	// Estimates are about right on an idle machine: a task gets three times its share plus ten minutes, and continues
	// if that was too little.
	limit := 3*p.Longest()/time.Duration(cfg.Workers) + 10*time.Minute
	return t.Execute(w, map[string]any{
		"Cells": len(p.Cells), "Shards": len(p.Shards), "Last": len(p.Shards) - 1, "Workers": cfg.Workers,
		"Longest": Span(p.Longest() / time.Duration(cfg.Workers)), "Time": slurmTime(limit),
		"Memory":  256 + 256*cfg.Workers,
		"Storage": 1 + len(p.Cells)/1000, "Out": exit.Quote(cfg.Dir), "Image": r.Image,
		"Program": exit.Quote(r.Program), "Command": exit.Quote(r.Program), "Args": quoted(args),
		"List": append([]string{"ebm"}, args...),
		"Made": "ebm compare " + quoted(append(append([]string{}, r.Flags...), r.Emitted...)),
	})
}

// quoted returns words quoted for a shell.
func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = exit.Quote(w)
	}
	return strings.Join(out, " ")
}

// slurmTime formats a limit for Slurm, in whole minutes: days-hours:minutes:seconds.
func slurmTime(d time.Duration) string {
	minutes := int((d + time.Minute - 1) / time.Minute)
	return fmt.Sprintf("%d-%02d:%02d:00", minutes/(24*60), minutes/60%24, minutes%60)
}
