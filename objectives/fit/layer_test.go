package fit

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit/rundir"
)

// suited is the complete Config for an objective.
func suited(t testing.TB, objective string) Config {
	t.Helper()
	c, err := Suited(Config{Dataset: "4squares", Name: objective}, objectives.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The config.json that is written is read back unchanged, for every objective, and holds the settings of that
// objective only.
func TestConfigRoundTrip(t *testing.T) {
	for _, name := range objectives.Names() {
		c := suited(t, name)
		c.Hidden, c.Seed, c.Dataset, c.Frames, c.Bridge = []int{3}, 0, `a "quoted" name`, 0, 0
		b, err := c.MarshalConfig()
		if err != nil {
			t.Fatal(err)
		}
		dir := &rundir.Dir{Path: t.TempDir()}
		if err := dir.Write(rundir.Config, b); err != nil {
			t.Fatal(err)
		}
		got, err := ReadConfig(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got.Objective = got.Objective.Suited(objectives.Facts{}) // settings without a key are not stored
		if !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got %+v, want %+v", name, got, c)
		}
		l, _, err := ParseConfig("config.json", b)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(own()) + len(objectives.Fields(c.Objective)); len(l) != want {
			t.Errorf("%s: config.json has %d keys, want %d", name, len(l), want)
		}
	}
}

// A setting whose default is not Go's zero value can be set to zero under its key, and stays zero.
func TestNothingIsMeant(t *testing.T) {
	c, err := Read(Layer{"seed": json.RawMessage("0"), "samples": json.RawMessage("0"), "bridge": json.RawMessage("0"),
		"clip": json.RawMessage("0")})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Suited(c, objectives.Facts{}); err != nil {
		t.Fatal(err)
	}
	if c.Seed != 0 || c.Samples != 0 || c.Bridge != 0 || c.Clip != 0 || c.Frames == 0 {
		t.Errorf("seed %d, samples %d, bridge %g, clip %g, frames %d", c.Seed, c.Samples, c.Bridge, c.Clip, c.Frames)
	}
	if c, err = Suited(Config{Samples: -1, Bridge: -1, Warmup: -1}, objectives.Facts{}); err != nil {
		t.Fatal(err)
	}
	if c.Samples != 0 || c.Bridge != 0 || c.Warmup != 0 || c.Seed != 1 {
		t.Errorf("samples %d, bridge %g, warmup %d, seed %d", c.Samples, c.Bridge, c.Warmup, c.Seed)
	}
}

func TestSuitedIsValid(t *testing.T) {
	for _, name := range objectives.Names() {
		c := suited(t, name)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A setting that an objective does not have is an error that names those that do.
func TestForeignSetting(t *testing.T) {
	_, err := prepared("moons", "nce", Layer{"sigma": json.RawMessage("0.1")})
	var field *FieldError
	if !errors.As(err, &field) || field.Key != "sigma" || !strings.Contains(err.Error(), "dsm") {
		t.Errorf("got %v, want an error that names sigma and the objectives that have it", err)
	}
	if _, err = prepared("moons", "nce", Layer{"smooth": json.RawMessage("0.1")}); !errors.As(err, &field) ||
		field.Key != "smooth" {
		t.Errorf("got %v, want an error that names smooth", err)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "not a JSON object",
		"[]":                   "not a JSON object",
		"null":                 "not a JSON object",
		`{"lr":1`:              "not a JSON object",
		`{"lr":1} {}`:          "something follows",
		`{"lr":"fast"}`:        `"lr" is "fast", want a number`,
		`{"lr":null}`:          "want a number",
		`{"step":100}`:         `"step" is unknown`,
		`{"hidden":"128,128"}`: "want whole numbers",
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000): "not a JSON object",
	} {
		_, _, err := ParseConfig("f.json", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%.40q: got %v, want a line of f.json with %q", text, err, want)
		}
	}
	if l, _, err := ParseConfig("f.json", []byte("\ufeff{\"lr\":1}")); err != nil || len(l) != 1 {
		t.Errorf("with a byte order mark: %v, %v", l, err)
	}
}

// A setting out of range is named by its key, before any data are read.
func TestValidateNamesKeys(t *testing.T) {
	for key, bad := range map[string]string{
		"lr": "-1", "steps": "-5", "batch": "0", "ema": "1", "clip": "-1", "bridge": "1", "hidden": "[0]",
		"precision": `"float16"`,
		"threads":   "-1", "thin": "0", "frames": "-1", "chains": "0", "first-gain": "0",
	} {
		_, err := prepared("moons", "sm", Layer{key: json.RawMessage(bad)})
		var field *FieldError
		if !errors.As(err, &field) || field.Key != key || field.Want == "" {
			t.Errorf("%s = %s: got %v, want an error about it", key, bad, err)
		}
	}
	for key, objective := range map[string]string{"sigma": "dsm", "levels": "dsm-multi", "noise-ratio": "nce"} {
		_, err := prepared("moons", objective, Layer{key: json.RawMessage("0")})
		var field *FieldError
		if !errors.As(err, &field) || field.Key != key {
			t.Errorf("%s: %s = 0: got %v, want an error about it", objective, key, err)
		}
	}
	for key := range map[string]bool{"schedule": true, "optimizer": true, "sampler": true, "energy": true,
		"activation": true, "objective": true} {
		l := Layer{key: json.RawMessage(`"none such"`)}
		_, err := prepared("moons", "sm", l)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Key != key || len(unknown.Known) < 2 {
			t.Errorf("%s: got %v, want an error that lists what is known", key, err)
		}
	}
}

// A configuration in another format is refused with both version numbers, before anything else in it is read. The
// settings of version 2 can be used; its directory cannot.
func TestFormat(t *testing.T) {
	c := suited(t, "sm")
	b, err := c.MarshalConfig()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(b), "{\n  \"format\": 3,\n") {
		t.Errorf("config.json begins with %.40q", b)
	}
	for text, want := range map[string][]string{
		`{"format": 7, "novel": [1], "lr": "other"}`: {"config.json", "format version 7", "reads version 3", "newer"},
		`{"format": 0}`:              {"format", "at least 1"},
		`{"format": "1"}`:            {"format", "at least 1"},
		`{"format": 1, "novel": 1}`:  {"config.json", "format version 1", "reads version 3"},
		`{"format": 3, "novel": 1}`:  {"novel", "unknown"},
		`{"seed": 1, "novel": true}`: {"novel", "unknown"},
	} {
		_, _, err := ParseConfig("config.json", []byte(text))
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want %q in it", text, err, w)
			}
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	c := suited(f, "nce")
	b, err := c.MarshalConfig()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"lr":1e999,"hidden":[1,2]}`))
	f.Add([]byte(`{"format":2,"objective":"dsm","paired":false,"sigma":0.1,"buffer":3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, _, err := ParseConfig("f", b, "out")
		if err != nil {
			return
		}
		if _, err := Read(l); err != nil {
			t.Errorf("accepted by ParseConfig, refused by Read: %v", err)
		}
	})
}
