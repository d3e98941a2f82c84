package graphs

import (
	"fmt"
	"reflect"

	G "gorgonia.org/gorgonia"
)

// Gorgonia keeps its operations to itself: they are recognised by the name of their type and by String, their parameters
// read by reflection. TestBuiltinOperations pins them; an operation that looks different is run by its own Do.

func typeName(op G.Op) string { return fmt.Sprintf("%T", op) }

// fields gives access to the unexported fields of an operation.
type fields struct{ v reflect.Value }

func fieldsOf(op any) fields {
	v := reflect.ValueOf(op)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return fields{v}
}

func (f fields) field(name string, kinds ...reflect.Kind) (reflect.Value, bool) {
	if f.v.Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	v := f.v.FieldByName(name)
	for _, k := range kinds {
		if v.IsValid() && v.Kind() == k {
			return v, true
		}
	}
	return reflect.Value{}, false
}

func (f fields) int(name string) (int, bool) {
	v, ok := f.field(name, reflect.Int, reflect.Uint8)
	switch {
	case !ok:
		return 0, false
	case v.Kind() == reflect.Uint8:
		return int(v.Uint()), true
	}
	return int(v.Int()), true
}

func (f fields) bool(name string) (val, ok bool) {
	v, ok := f.field(name, reflect.Bool)
	return ok && v.Bool(), ok
}

func (f fields) ints(name string) ([]int, bool) {
	v, ok := f.field(name, reflect.Slice)
	if !ok {
		return nil, false
	}
	s := make([]int, v.Len())
	for i := range s {
		if v.Index(i).Kind() != reflect.Int {
			return nil, false
		}
		s[i] = int(v.Index(i).Int())
	}
	return s, true
}
