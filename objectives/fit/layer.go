package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/stheno-ebm/stheno/datasets/table"
	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/objectives"
)

// Layer is a partial set of settings by key, each as JSON.
type Layer map[string]json.RawMessage

// Field is a setting: of every run, or of the objectives that have it.
type Field struct {
	Key, Help, Group, Placeholder string
	Type                          reflect.Type
	Objectives                    []string // objectives that have it; nil: every run does
	Options                       []string // allowed values; nil: any
}

// objectiveKey is the key of the objective's name, after which its own settings follow.
const objectiveKey = "objective"

// options holds the allowed values of those settings of every run that have named values.
var options = map[string]func() []string{
	objectiveKey: objectives.Names,
	"energy":     networkNames,
	"activation": energy.Activations,
	"precision":  func() []string { return []string{energy.Float32.String(), energy.Float64.String()} },
	"schedule":   func() []string { return scheduleNames },
	"optimizer":  func() []string { return optimizerNames },
	"sampler":    samplerNames,
	"discrete":   discreteNames,
	"header": func() []string {
		return []string{string(table.HeaderAuto), string(table.HeaderYes), string(table.HeaderNo)}
	},
	"missing": func() []string {
		return []string{string(table.MissingError), string(table.MissingDrop), string(table.MissingMean)}
	},
}

// own lists the settings of every run, in order.
func own() []Field {
	t := reflect.TypeFor[Config]()
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		if key := f.Tag.Get("json"); f.IsExported() && key != "-" {
			field := Field{Key: key, Help: f.Tag.Get("help"), Group: f.Tag.Get("group"),
				Placeholder: f.Tag.Get("placeholder"), Type: f.Type}
			if list := options[key]; list != nil {
				field.Options = list()
			}
			fields = append(fields, field)
		}
	}
	return fields
}

// before are the values, by key, that settings younger than the format have in files that lack them.
func before() map[string]string {
	values := make(map[string]string)
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		f := t.Field(i)
		if v, ok := f.Tag.Lookup("before"); ok {
			values[f.Tag.Get("json")] = v
		}
	}
	return values
}

// FieldList is a list of settings.
type FieldList []Field

// Fields lists all settings: those of every run and, after the name of the objective, those of the registered
// objectives, with one entry for a key that several share.
func Fields() FieldList {
	var fields FieldList
	for _, f := range own() {
		fields = append(fields, f)
		if f.Key == objectiveKey {
			fields = append(fields, ofObjectives()...)
		}
	}
	return fields
}

// ofObjectives lists the settings of the registered objectives. The help of a key combines the texts of all of them.
func ofObjectives() []Field {
	var fields []Field
	says := make(map[string][]string) // texts of a key, in order, and by key and text the objectives
	who := make(map[[2]string][]string)
	for _, name := range objectives.Names() {
		m, err := objectives.ByName(name)
		if err != nil {
			panic(err) // cannot happen: it is listed
		}
		for _, f := range objectives.Fields(m) {
			at := slices.IndexFunc(fields, func(g Field) bool { return g.Key == f.Key })
			if at < 0 {
				at = len(fields)
				fields = append(fields, Field{Key: f.Key, Group: objectiveKey, Type: f.Type, Options: f.Options})
			}
			fields[at].Objectives = append(fields[at].Objectives, name)
			if _, ok := who[[2]string{f.Key, f.Help}]; !ok {
				says[f.Key] = append(says[f.Key], f.Help)
			}
			who[[2]string{f.Key, f.Help}] = append(who[[2]string{f.Key, f.Help}], name)
		}
	}
	for i, f := range fields {
		var parts []string
		for _, text := range says[f.Key] {
			parts = append(parts, fmt.Sprintf("%s (%s)", strings.TrimSuffix(text, "."),
				strings.Join(who[[2]string{f.Key, text}], ", ")))
		}
		fields[i].Help = strings.Join(parts, "; ") + "."
	}
	return fields
}

// Keys returns the keys of all settings, in order.
func Keys() []string {
	var keys []string
	for _, f := range Fields() {
		keys = append(keys, f.Key)
	}
	return keys
}

// Lookup returns the setting under key.
func Lookup(key string) (Field, bool) { return Fields().Lookup(key) }

// Lookup returns the setting under key. For many keys it is faster than the function, which makes the list anew.
func (l FieldList) Lookup(key string) (Field, bool) {
	for _, f := range l {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// Wants describes the values of a setting in words.
func (f Field) Wants() string {
	switch f.Type.Kind() {
	case reflect.Int, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool, reflect.Int8:
		return "true or false"
	case reflect.Slice:
		if f.Type.Elem().Kind() == reflect.String {
			return "names or numbers of columns, such as height,weight"
		}
		return "whole numbers, such as 128,128"
	}
	return "text"
}

// check reports a value that is not of the field's type.
func (f Field) check(raw json.RawMessage) error {
	if json.Unmarshal(raw, reflect.New(f.Type).Interface()) != nil || string(raw) == "null" {
		return &FieldError{Key: f.Key, Value: string(raw), Want: f.Wants()}
	}
	return nil
}

// Read makes a Config from settings by key: given values are taken literally, including 0, and the rest follows from
// the data and the objective. Every invalid key and value is named.
func Read(l Layer) (Config, error) {
	var c Config
	var errs []error
	fields := Fields()
	for _, key := range slices.Sorted(maps.Keys(l)) {
		f, ok := fields.Lookup(key)
		if !ok {
			return c, &UnknownError{Name: key, Known: Keys()}
		}
		errs = append(errs, f.check(l[key]))
	}
	if err := errors.Join(errs...); err != nil {
		return c, err
	}
	if err := overlay(&c, l); err != nil {
		return c, err
	}
	c.given = maps.Clone(l)
	return c, nil
}

// overlay sets the fields of every run that are in l.
func overlay(c *Config, l Layer) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, c)
}

// method returns the objective of a Config, with settings that suit the data, overridden by those given by key.
func (c *Config) method(facts objectives.Facts) (objectives.Method, error) {
	if c.Objective != nil {
		return c.Objective.Suited(facts), nil
	}
	m, err := objectives.ByName(c.Name)
	if err != nil {
		return nil, &UnknownError{Key: objectiveKey, Name: c.Name, Known: objectives.Names()}
	}
	m = m.Suited(facts)
	if len(c.given) == 0 {
		return m, nil
	}
	keys := objectives.Encode(m)
	for _, f := range ofObjectives() {
		raw, ok := c.given[f.Key]
		if !ok {
			continue
		}
		if _, ok := keys[f.Key]; !ok {
			return nil, fieldErrorf(f.Key, nil, "%s has no such setting; it is one of %s", c.Name,
				strings.Join(f.Objectives, ", "))
		}
		keys[f.Key] = raw
	}
	m, err = objectives.Decode(c.Name, keys)
	return m, fieldErrors(err)
}

// Layer returns the settings of a complete Config by key: those of every run, and those of its objective.
func (c *Config) Layer() (Layer, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	l := make(Layer)
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, err
	}
	if c.Objective == nil {
		return l, nil
	}
	maps.Copy(l, objectives.Encode(c.Objective))
	return l, nil
}

// MarshalConfig returns the text of a config.json: the format of the run directory, the settings of every run and those
// of the objective, in the order of [Fields].
func (c *Config) MarshalConfig() ([]byte, error) {
	l, err := c.Layer()
	if err != nil {
		return nil, err
	}
	return l.marshal(fmt.Sprintf("  %q: %d", formatKey, Format))
}

// marshal returns the layer as a JSON object, with keys in the order of Fields, after the given lines.
func (l Layer) marshal(lines ...string) ([]byte, error) {
	for _, key := range Keys() {
		raw, ok := l[key]
		if !ok {
			continue
		}
		var b bytes.Buffer
		if err := json.Indent(&b, raw, "  ", "  "); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("  %q: %s", key, b.Bytes()))
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}\n"), nil
}
