package settings

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
)

func TestRoundTrip(t *testing.T) {
	s := Default()
	s.Hidden, s.Seed, s.Dataset = []int{3}, 1<<63+1, `a "quoted" name`
	layer, rest, err := Parse("config.json", s.JSON(), nil)
	if err != nil || len(rest) != 0 {
		t.Fatal(rest, err)
	}
	got, err := Merge(layer)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, want %+v", got, s)
	}
	if len(layer) != len(Keys()) {
		t.Errorf("config.json has %d keys, want all %d", len(layer), len(Keys()))
	}
}

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
}

func TestMergeOrder(t *testing.T) {
	a, _ := ParseAssignment("lr=0.5")
	b, _ := ParseAssignment("lr=0.25")
	s, err := Merge(Default().Layer(), a, b)
	if err != nil || s.LR != 0.25 {
		t.Errorf("got %g, %v; want the last layer's 0.25", s.LR, err)
	}
}

func TestAssignments(t *testing.T) {
	for text, want := range map[string]string{
		"lr=1e-3": "0.001", "hidden=64,32": "[64,32]", "hidden=[64]": "[64]", "dataset=moons": `"moons"`,
		"standardize=true": "true", "seed=18446744073709551615": "18446744073709551615", " lr = 2 ": "2",
	} {
		l, err := ParseAssignment(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, raw := range l {
			if string(raw) != want {
				t.Errorf("%q: got %s, want %s", text, raw, want)
			}
		}
	}
	for text, want := range map[string]string{
		"lr": "key=value", "lr=fast": "a number", "lr=NaN": "a number", "lr=null": "a number", "steps=1.5": "a whole number",
		"seed=-1": "a whole number", "hiden=3": `did you mean "hidden"`, "hidden=3,x": "whole numbers", "standardize=maybe": "true or false",
	} {
		_, err := ParseAssignment(text)
		if err == nil || !strings.Contains(err.Error(), want) || exit.Code(err) != exit.Usage {
			t.Errorf("%q: got %v, want a line with %q", text, err, want)
		}
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
		`{"step":100}`:         `did you mean "steps"`,
		`{"hidden":"128,128"}`: "want whole numbers",
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000): "not a JSON object",
	} {
		_, _, err := Parse("f.json", []byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) || exit.Code(err) != exit.Usage || !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%.40q: got %v, want a line of f.json with %q", text, err, want)
		}
	}
}

func TestValidateNamesFlags(t *testing.T) {
	for key, bad := range map[string]string{
		"lr": "-1", "steps": "-5", "batch": "0", "ema": "1", "clip": "-1", "bridge": "1", "hidden": "[0]", "precision": `"float16"`,
		"schedule": `"linear"`, "threads": "-1", "sigma": "0", "thin": "0", "frames": "-1", "chains": "0", "first-gain": "0", "levels": "1",
	} {
		s, err := Merge(Default().Layer(), Layer{key: json.RawMessage(bad)})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Check()
		if err == nil || !strings.Contains(err.Error(), "--"+key+" ") || !strings.Contains(err.Error(), "want") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s = %s: got %v, want one line that names --%s", key, bad, err, key)
		}
	}
}

// A limit that concerns one objective does not stand in the way of the others.
func TestLimitsOfOtherObjectives(t *testing.T) {
	s := Default()
	s.Batch, s.Sigma = 2*s.Buffer, 2*s.SigmaMax
	if err := s.Check(); err != nil {
		t.Errorf("sm with a batch larger than the buffer of ml, sigma above the largest of dsm-multi: %v", err)
	}
	for objective, flag := range map[string]string{"ml": "--buffer", "dsm-multi": "--sigma-max"} {
		s.Objective = objective
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), flag+" ") {
			t.Errorf("%s: got %v, want a line that names %s", objective, err, flag)
		}
	}
}

// A configuration of another format is refused with both numbers, before anything else in it is looked at; one without a number is
// of the first.
func TestFormat(t *testing.T) {
	config := string(Default().Config())
	if !strings.HasPrefix(config, "{\n  \"format\": 2,\n") {
		t.Errorf("config.json begins with %.40q", config)
	}
	if layer, _, err := Parse("config.json", []byte(config), nil); err != nil || len(layer) != len(Keys()) {
		t.Errorf("%d keys, %v", len(layer), err)
	}
	for text, want := range map[string][]string{
		`{"format": 7, "novel": [1], "lr": "other"}`: {"config.json", "format version 7", "reads version 2", "newer"},
		`{"format": 0}`:              {"format", "at least 1"},
		`{"format": "1"}`:            {"format", "at least 1"},
		`{"format": 1, "novel": 1}`:  {"config.json", "format version 1", "reads version 2"},
		`{"format": 2, "novel": 1}`:  {"novel", "unknown"},
		`{"seed": 1, "novel": true}`: {"novel", "unknown"},
	} {
		_, _, err := Parse("config.json", []byte(text), nil)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want %q in it", text, err, w)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Default().JSON())
	f.Add(Default().Config())
	f.Add([]byte(`{"lr":1e999,"hidden":[1,2]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		layer, _, err := Parse("f", b, []string{"out"})
		if err != nil {
			return
		}
		if _, err := Merge(Default().Layer(), layer); err != nil {
			t.Errorf("accepted by Parse, refused by Merge: %v", err)
		}
	})
}
