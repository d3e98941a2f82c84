package board

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/datasets/files"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// sweepFile records which cells the folder is for.
const sweepFile = "sweep.json"

// Sweep describes what is compared.
type Sweep struct {
	Datasets   []string          `json:"datasets"`
	Objectives []string          `json:"objectives"`
	Seeds      int               `json:"seeds"`
	Set        fit.Layer         `json:"set,omitempty"`
	Seconds    float64           `json:"seconds,omitempty"` // CPU seconds per cell
	Data       map[string]string `json:"data,omitempty"`    // identifies the content of files
}

// sweep returns what the configuration compares; it reads the files among the data.
func (cfg Config) sweep() (Sweep, error) {
	s := Sweep{Datasets: cfg.Datasets, Objectives: cfg.Objectives, Seeds: cfg.Seeds, Set: cfg.Set, Seconds: cfg.Seconds}
	for _, d := range cfg.Datasets {
		sum, err := fit.DataSum(d)
		if err != nil {
			return s, fmt.Errorf("--datasets: %w", err)
		}
		if sum != "" {
			if s.Data == nil {
				s.Data = make(map[string]string)
			}
			s.Data[d] = sum
		}
	}
	return s, nil
}

// config returns the configuration that compares it in a folder.
func (s Sweep) config(dir string) Config {
	return Config{Datasets: s.Datasets, Objectives: s.Objectives, Seeds: s.Seeds, Set: s.Set, Seconds: s.Seconds,
		Dir: dir}
}

// cells returns the cells of the board, in its order.
func (s Sweep) cells() []Cell {
	cells := make([]Cell, 0, len(s.Objectives)*len(s.Datasets)*s.Seeds)
	for _, o := range s.Objectives {
		for _, d := range s.Datasets {
			for seed := range s.Seeds {
				cells = append(cells, Cell{Dataset: d, Objective: o, Seed: uint64(seed + 1), Data: s.Data[d]})
			}
		}
	}
	return cells
}

// register writes the sweep to the folder, which may contain cells of other sweeps with the same settings and data.
func (s Sweep) register(dir string) error {
	old, err := readSweep(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if why := old.differs(dir, s); why != "" {
			return exit.Usagef("%s; choose another --out, or remove it", why)
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if have, err := os.ReadFile(filepath.Join(dir, sweepFile)); err == nil && string(have) == string(b) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exit.Usagef("--out %s: %w", dir, err)
	}
	return files.Write(filepath.Join(dir, sweepFile), b)
}

// differs says why cells of another sweep cannot go into the folder of this one; "" if they can.
func (s Sweep) differs(dir string, other Sweep) string {
	if s.Seconds != other.Seconds {
		return fmt.Sprintf("%s was made with %s, not with %s", dir, budgetName(s.Seconds), budgetName(other.Seconds))
	}
	if a, b := s.settings(), other.settings(); a != b {
		return fmt.Sprintf("%s was made with other settings (%s, not %s)", dir, a, b)
	}
	for _, d := range s.Datasets {
		if slices.Contains(other.Datasets, d) && s.Data[d] != other.Data[d] {
			return fmt.Sprintf("%s has changed since %s was made", d, dir)
		}
	}
	return ""
}

// settings returns the settings that override the defaults, as people write them.
func (s Sweep) settings() string {
	var words []string
	for _, key := range fit.Keys() {
		if v, ok := s.Set[key]; ok {
			words = append(words, "--set "+exit.Quote(key+"="+assigned(v)))
		}
	}
	if len(words) == 0 {
		return "the defaults"
	}
	return strings.Join(words, " ")
}

// assigned formats a value of a setting for --set.
func assigned(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = string(w)
		}
		return strings.Join(words, ",")
	}
	return string(v)
}

// readSweep reads which cells a folder is for. The error matches fs.ErrNotExist if the folder does not say.
func readSweep(dir string) (Sweep, error) {
	var s Sweep
	name := filepath.Join(dir, sweepFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, exit.Usagef("%s holds no comparison: %w", dir, err)
	}
	if err != nil {
		return s, exit.AsUsage(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, exit.Usagef("%s is damaged (%w); remove it, and run the comparison again", name, err)
	}
	return s, nil
}
