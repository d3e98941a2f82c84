package main

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// settingFlags returns the flags of the settings: a struct for the parser with a field for each, in the order of
// fit.Fields.
func settingFlags() any {
	var fields []reflect.StructField
	for i, f := range fit.Fields() {
		t, more := f.Type, ""
		if t == reflect.TypeFor[fit.Switch]() {
			t = reflect.TypeFor[bool]()
		}
		if t.Kind() == reflect.Bool {
			more = ` negatable:""`
		}
		if f.Placeholder != "" {
			more += ` placeholder:` + strconv.Quote(f.Placeholder)
		}
		fields = append(fields, reflect.StructField{
			Name: "F" + strconv.Itoa(i), Type: t,
			Tag: reflect.StructTag(fmt.Sprintf("name:%q help:%q group:%q%s", f.Key, f.Help, f.Group, more)),
		})
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// givenSettings returns the settings given on the command line. A non-finite number is an error.
func givenSettings(k *kong.Context) (fit.Layer, error) {
	l, settings := make(fit.Layer), fit.Fields()
	for _, p := range k.Path {
		if p.Flag == nil {
			continue
		}
		f, ok := settings.Lookup(p.Flag.Name)
		if !ok {
			continue
		}
		raw, err := json.Marshal(p.Flag.Target.Interface())
		if err != nil {
			return nil, exit.Usagef("--%s %v: want %s", f.Key, p.Flag.Target, f.Wants())
		}
		l[f.Key] = raw
	}
	return l, nil
}

// assignment parses key=value.
func assignment(text string) (key string, raw json.RawMessage, err error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", nil, exit.Usagef("--set %s: want key=value, such as --set lr=0.001", text)
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	f, ok := fit.Lookup(key)
	if !ok {
		return "", nil, exit.Unknown("--set: key", key, fit.Keys())
	}
	raw = []byte(value)
	switch f.Type.Kind() {
	case reflect.String:
		raw, _ = json.Marshal(value)
	case reflect.Slice:
		raw = []byte("[" + strings.Trim(value, "[]") + "]")
		if f.Type.Elem().Kind() == reflect.String {
			raw, _ = json.Marshal(strings.Split(value, ","))
		}
	case reflect.Float64:
		if v, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			raw = strconv.AppendFloat(nil, v, 'g', -1, 64)
		}
	}
	if json.Unmarshal(raw, reflect.New(f.Type).Interface()) != nil || value == "null" {
		return "", nil, exit.Usagef("--set %s: value %q, want %s", key, value, f.Wants())
	}
	return key, raw, nil
}

// assignments parses the values of --set; the last one for a key counts.
func assignments(set []string) (fit.Layer, error) {
	l := make(fit.Layer)
	for _, text := range set {
		key, raw, err := assignment(text)
		if err != nil {
			return nil, err
		}
		l[key] = raw
	}
	return l, nil
}

// explicit lists the flags given on the command line by name.
func explicit(k *kong.Context) []string {
	var names []string
	for _, p := range k.Path {
		if p.Flag != nil {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

// showDefaults adds the defaults of the settings, those of a run without flags, to the help of `ebm train`. It also
// makes the last value of a list setting count.
func showDefaults(k *kong.Kong) error {
	c, err := fit.Suited(fit.Config{Dataset: defaultDataset}, objectives.Facts{})
	if err != nil {
		return err
	}
	values, err := c.Layer()
	if err != nil {
		return err
	}
	settings := fit.Fields()
	for _, node := range k.Model.Children {
		for _, f := range node.Flags {
			placeholder(f)
			setting, ok := settings.Lookup(f.Name)
			if ok && setting.Type.Kind() == reflect.Slice {
				f.Mapper = last{f.Mapper}
			}
			raw, has := values[f.Name]
			if node.Name != trainName || !ok || !has || f.IsBool() {
				continue
			}
			text := strings.Trim(string(raw), `[]"`)
			if text == "" {
				continue
			}
			f.Help = strings.TrimSuffix(f.Help, ".") + " (" + text + ")."
			f.OrigHelp = f.Help
		}
	}
	return nil
}

// last treats a list as one value, so that the last one counts if a flag is repeated, as for a number.
type last struct{ kong.Mapper }

func (m last) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	target.SetZero()
	return m.Mapper.Decode(ctx, target)
}

// placeholder sets the kind of value that a flag takes, unless its tag does.
func placeholder(f *kong.Flag) {
	if f.PlaceHolder != "" {
		return
	}
	switch f.Target.Kind() {
	case reflect.Float64:
		f.PlaceHolder = "X"
	case reflect.Int, reflect.Uint64:
		f.PlaceHolder = "N"
	case reflect.String:
		f.PlaceHolder = "NAME"
	}
}
