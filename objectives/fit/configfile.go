package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// Format is the version of the run directory, under the key "format" of config.json; a file without it is of version 1.
// It increases with every change after which older run directories could not be read, or would be misread.
const Format = 3

// formatKey is the key of Format in config.json.
const formatKey = "format"

// earlier is the version whose config.json can still be read as training settings. It holds the settings of all
// objectives.
const earlier = 2

// FormatError reports a run directory, or its config.json, of another format version.
type FormatError struct {
	Path    string
	Version int
}

func (e *FormatError) Error() string {
	switch {
	case e.Version > Format:
		return fmt.Sprintf(
			"%s: run directory format version %d, this program reads version %d: use the program that wrote it, or a "+
				"newer one", e.Path, e.Version, Format)
	case e.Version == earlier:
		return fmt.Sprintf(
			"%s: run directory format version %d, this program reads version %d: "+
				"its settings still serve to train it again", e.Path, e.Version, Format)
	}
	return fmt.Sprintf(
		"%s: run directory format version %d, this program reads version %d: use the program that wrote it", e.Path,
		e.Version, Format)
}

// ParseConfig parses a configuration file, from a run or written by hand. others are keys that it may hold besides
// settings; they are returned separately. Of a config.json of version 2, only the settings of its own objective are
// used.
func ParseConfig(name string, b []byte, others ...string) (settings, rest Layer, err error) {
	fail := func(format string, args ...any) (Layer, Layer, error) {
		return nil, nil, &rundir.FileError{Path: name, Err: fmt.Errorf("%s"+format, append([]any{name}, args...)...)}
	}
	if len(b) > 1<<20 {
		return fail(": %d bytes, a configuration has at most %d", len(b), 1<<20)
	}
	var all Layer
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	if err := dec.Decode(&all); err != nil || all == nil {
		var other *json.UnmarshalTypeError
		switch {
		case err == nil:
			err = errors.New("it is null")
		case errors.As(err, &other):
			err = fmt.Errorf("it is of type %s", other.Value)
		}
		return fail(" is not a JSON object of settings: %w", err)
	}
	if dec.More() {
		return fail(": something follows the JSON object")
	}
	version := Format
	if raw, ok := all[formatKey]; ok {
		if json.Unmarshal(raw, &version) != nil || version < 1 {
			return fail(": %q is %s, want a whole number of at least 1", formatKey, raw)
		}
	}
	switch version {
	case Format:
	case earlier:
		if all, err = fromEarlier(all); err != nil {
			return fail(": %w", err)
		}
	default:
		return nil, nil, &FormatError{name, version}
	}
	delete(all, formatKey)
	settings, rest = make(Layer), make(Layer)
	fields := Fields()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		raw := all[key]
		if slices.Contains(others, key) {
			rest[key] = raw
			continue
		}
		f, ok := fields.Lookup(key)
		if !ok {
			return nil, nil, &UnknownError{Name: key, Known: append(Keys(), others...), File: name}
		}
		if f.check(raw) != nil {
			return fail(": %q is %s, want %s", key, raw, f.Wants())
		}
		settings[key] = raw
	}
	return settings, rest, nil
}

// fromEarlier removes the settings of other objectives from a configuration of version 2, and converts renamed ones.
func fromEarlier(all Layer) (Layer, error) {
	var name string
	if raw, ok := all[objectiveKey]; ok {
		if err := json.Unmarshal(raw, &name); err != nil {
			return nil, fmt.Errorf("%q is %s, want text", objectiveKey, raw)
		}
	}
	m, err := objectives.ByName(name)
	if err != nil {
		return nil, fmt.Errorf("%q is %q, which is unknown", objectiveKey, name)
	}
	out := maps.Clone(all)
	if raw, ok := out["paired"]; ok {
		delete(out, "paired")
		out["unpaired"] = json.RawMessage(fmt.Sprint(string(raw) == "false"))
	}
	has := make(map[string]bool)
	for _, f := range objectives.Fields(m) {
		has[f.Key] = true
	}
	for _, f := range ofObjectives() {
		if !has[f.Key] {
			delete(out, f.Key)
		}
	}
	return out, nil
}

// ReadConfig reads the config.json of a run, which must be complete and of this format.
func ReadConfig(dir *rundir.Dir) (Config, error) {
	var none Config
	if dir == nil {
		return none, errNoDir
	}
	path := dir.File(rundir.Config)
	b, err := dir.Read(rundir.Config)
	if err != nil {
		return none, err
	}
	var head struct {
		Format *int `json:"format"`
	}
	if json.Unmarshal(b, &head) == nil && head.Format != nil && *head.Format == earlier {
		return none, &FormatError{path, earlier}
	}
	l, _, err := ParseConfig(path, b)
	if err != nil {
		return none, err
	}
	for key, value := range before() {
		if _, ok := l[key]; !ok {
			l[key] = json.RawMessage(value)
		}
	}
	c, err := Read(l)
	if err != nil {
		return none, err
	}
	missing := func(key string) error {
		return &rundir.FileError{Path: path,
			Err: fmt.Errorf(
				"%s: key %q is missing: it is no complete configuration of a run, or that of an older program (this one "+
					"reads format version %d)", path, key, Format)}
	}
	for _, f := range own() {
		if _, ok := l[f.Key]; !ok {
			return none, missing(f.Key)
		}
	}
	if c.Objective, err = c.method(objectives.Facts{}); err != nil {
		return none, &rundir.FileError{Path: path, Err: fmt.Errorf("%s: %w", path, err)}
	}
	for _, f := range objectives.Fields(c.Objective) {
		if _, ok := l[f.Key]; !ok {
			return none, missing(f.Key)
		}
	}
	c.given, c.complete = nil, true
	if err := c.Validate(); err != nil {
		return none, &rundir.FileError{Path: path, Err: fmt.Errorf("%s: %w", path, err)}
	}
	return c, nil
}
