package objectives

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

var (
	registryMu sync.RWMutex
	registry   = map[string]Method{}
	order      []string // names in order of registration
)

// Register gives a method a name by which programs find it; call it in an init function of the file, or the module,
// that declares it. Zero fields are set by Suited when it is used. It panics if the name is taken, or if the method
// cannot be copied or described by its fields.
func Register(name string, m Method) {
	registryMu.Lock()
	defer registryMu.Unlock()
	if name == "" || m == nil {
		panic("objectives: Register without a name or a method")
	}
	if _, taken := registry[name]; taken {
		panic("objectives: Register: there is an objective " + name)
	}
	keys := map[string]bool{}
	for _, f := range Fields(m) {
		if keys[f.Key] {
			panic("objectives: Register " + name + ": two fields have the key " + f.Key)
		}
		keys[f.Key] = true
	}
	registry[name] = m
	order = append(order, name)
}

// Names returns the names of all objectives, sorted.
func Names() []string {
	registryMu.RLock()
	defer registryMu.RUnlock()
	return slices.Sorted(maps.Keys(registry))
}

// ByName returns the method with this name, or an [*UnknownError].
func ByName(name string) (Method, error) {
	registryMu.RLock()
	m, ok := registry[name]
	registryMu.RUnlock()
	if !ok {
		return nil, &UnknownError{Kind: "objective", Name: name, Known: Names()}
	}
	return clone(m), nil
}

// NameOf returns the first name under which a method of m's dynamic type was registered.
func NameOf(m Method) (string, bool) {
	registryMu.RLock()
	defer registryMu.RUnlock()
	for _, name := range order {
		if reflect.TypeOf(registry[name]) == reflect.TypeOf(m) {
			return name, true
		}
	}
	return "", false
}

// UnknownError reports an unknown name.
type UnknownError struct {
	Kind  string // what was looked up: objective, noise, setting of nce
	Name  string
	Known []string // the known names
}

func (e *UnknownError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("objectives: no %s %q; there is none", e.Kind, e.Name)
	}
	return fmt.Sprintf("objectives: no %s %q; there are %s", e.Kind, e.Name, strings.Join(e.Known, ", "))
}

// clone copies the struct of a method, so that the caller's fields are not changed.
func clone(m Method) Method {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return m
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	return c.Interface().(Method)
}

// Encode returns the settings of a method by their keys, as in a configuration file. The method must be valid: Encode
// panics if a number is not finite.
func Encode(m Method) map[string]json.RawMessage {
	v := structOf(m)
	out := make(map[string]json.RawMessage)
	for _, f := range Fields(m) {
		field := v.FieldByName(f.Name)
		var value any = field.Interface()
		if f.None && negative(field) {
			value = 0
		}
		b, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("objectives: Encode: %T.%s: %v", m, f.Name, err))
		}
		out[f.Key] = b
	}
	return out
}

func negative(v reflect.Value) bool {
	switch {
	case v.CanInt():
		return v.Int() < 0
	case v.CanFloat():
		return v.Float() < 0
	}
	return false
}

// Decode returns the named method with the settings given by their keys; the others stay as registered, mostly zero, to
// be set by Suited. An unknown key is an [*UnknownError], an invalid value a [*FieldError], including a 0 where zero in
// Go means the default, since a reader of the file would take it literally.
func Decode(name string, keys map[string]json.RawMessage) (Method, error) {
	m, err := ByName(name)
	if err != nil {
		return nil, err
	}
	target := reflect.New(structOf(m).Type()).Elem()
	target.Set(structOf(m))
	fields := map[string]Field{}
	var known []string
	for _, f := range Fields(m) {
		fields[f.Key] = f
		known = append(known, f.Key)
	}
	var errs []error
	var zeros []Field
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		f, ok := fields[key]
		if !ok {
			errs = append(errs, &UnknownError{Kind: "setting of " + name, Name: key, Known: known})
			continue
		}
		v := target.FieldByName(f.Name)
		if raw := bytes.TrimSpace(keys[key]); json.Unmarshal(raw, v.Addr().Interface()) != nil ||
			string(raw) == "null" {
			errs = append(errs, &FieldError{target.Type().Name(), f.Name, key, string(raw), wanted(f.Type)})
			continue
		}
		switch {
		case f.None && v.IsZero():
			setNumber(v, -1)
		case f.None && negative(v):
			errs = append(errs, WrongField(rebuilt(m, target), f.Name, ">= 0, where 0 is none"))
		case v.IsZero():
			zeros = append(zeros, f)
		}
	}
	m = rebuilt(m, target)
	if errs == nil {
		errs = meant(m, zeros)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m, nil
}

func setNumber(v reflect.Value, x int) {
	if v.CanInt() {
		v.SetInt(int64(x))
	} else {
		v.SetFloat(float64(x))
	}
}

// rebuilt returns a method of m's type with the fields of target.
func rebuilt(m Method, target reflect.Value) Method {
	if reflect.TypeOf(m).Kind() == reflect.Pointer {
		p := reflect.New(target.Type())
		p.Elem().Set(target)
		return p.Interface().(Method)
	}
	if m, ok := target.Interface().(Method); ok {
		return m
	}
	return m // of a kind without fields
}

// meant rejects zeros that Suited would replace, with the errors of Validate.
func meant(m Method, zeros []Field) (errs []error) {
	if len(zeros) == 0 {
		return nil
	}
	suited := m.Suited(Facts{})
	if reflect.TypeOf(suited) != reflect.TypeOf(m) {
		return nil // New rejects it
	}
	full := reflect.New(structOf(m).Type()).Elem()
	full.Set(structOf(suited))
	for _, f := range zeros {
		v := full.FieldByName(f.Name)
		if v.IsZero() {
			continue
		}
		was := v.Interface()
		v.SetZero()
		errs = append(errs, wordsFor(rebuilt(m, full), f))
		v.Set(reflect.ValueOf(was))
	}
	return errs
}

// wordsFor returns what Validate says about field f.
func wordsFor(m Method, f Field) error {
	for _, err := range FieldErrors(m.Validate()) {
		if err.Field == f.Name {
			return err
		}
	}
	return WrongField(m, f.Name, "another value: leave it out for the default")
}

// FieldErrors returns the field errors within err, including joined and wrapped ones.
func FieldErrors(err error) []*FieldError {
	switch e := err.(type) {
	case nil:
		return nil
	case *FieldError:
		return []*FieldError{e}
	case interface{ Unwrap() []error }:
		var all []*FieldError
		for _, err := range e.Unwrap() {
			all = append(all, FieldErrors(err)...)
		}
		return all
	}
	return FieldErrors(errors.Unwrap(err))
}

// wanted describes values of type t.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	}
	return "a JSON value for a Go " + t.String()
}
