package objectives

import (
	"fmt"
	"reflect"
)

// Field is a setting of a method: an exported field of its struct that has a key.
type Field struct {
	Name string       // of the field in Go
	Key  string       // in configuration files, and the flag of the command line
	Help string       // one sentence: effect, unit, default
	Type reflect.Type // of the field
	None bool         // 0 under its key means none, in Go a negative number does, since zero means the default there

	index []int
}

// Fields lists the settings of a method, those of embedded structs included, in the order of their declaration.
func Fields(m Method) []Field {
	t := reflect.TypeOf(m)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var fields []Field
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("json")
		if f.Anonymous || !f.IsExported() || key == "" || key == "-" {
			continue
		}
		fields = append(fields, Field{Name: f.Name, Key: key, Help: f.Tag.Get("help"), Type: f.Type, None: f.Tag.Get("zero") == "none", index: f.Index})
	}
	return fields
}

// FieldError is a setting of a method that is out of range.
type FieldError struct {
	Method string // Go type of the method, such as NCE
	Field  string // of its struct, such as Ratio
	Key    string // of the field: in configuration files, and the flag of the command line; "" if it has none
	Value  any    // as it would be written under the key
	Want   string // what would be right
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("objectives: %s.%s = %v, want %s", e.Method, e.Field, e.Value, e.Want)
}
