package objectives

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Field is a setting of a method: an exported field of its struct that has a key.
type Field struct {
	Name    string       // of the field in Go
	Key     string       // name in configuration files and command-line flag
	Help    string       // one sentence: effect, unit, default
	Type    reflect.Type // of the field
	None    bool         // 0 under its key means none, which is a negative number in Go
	Options []string     // allowed values, if its type lists them; nil: any
}

// options is a type with a fixed set of values, such as [Projection].
type options interface{ Options() []string }

// Fields lists the settings of a method, including those of embedded structs, in order of declaration.
func Fields(m Method) []Field {
	t := structOf(m).Type()
	var fields []Field
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("json")
		if f.Anonymous || !f.IsExported() || key == "" || key == "-" {
			continue
		}
		field := Field{Name: f.Name, Key: key, Help: f.Tag.Get("help"), Type: f.Type,
			None: f.Tag.Get("zero") == "none"}
		if o, ok := reflect.Zero(f.Type).Interface().(options); ok {
			field.Options = o.Options()
		}
		fields = append(fields, field)
	}
	return fields
}

// structOf returns the struct that a method is or points to; an empty one if it is neither.
func structOf(m Method) reflect.Value {
	v := reflect.ValueOf(m)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.ValueOf(struct{}{})
	}
	return v
}

// FieldError is a setting of a method that is out of range.
type FieldError struct {
	Method string // Go type of the method, such as NCE
	Field  string // of its struct, such as Ratio
	Key    string // key of the field in configuration files and on the command line; "" if none
	Value  any    // the value found
	Want   string // a description of valid values
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("objectives: %s.%s = %v, want %s", e.Method, e.Field, e.Value, e.Want)
}

// WrongField returns the error for a field of m, by its Go name, with an invalid value.
func WrongField(m Method, field, want string) *FieldError {
	v := structOf(m)
	e := &FieldError{Method: v.Type().Name(), Field: field, Want: want}
	if f, ok := v.Type().FieldByName(field); ok {
		e.Value = v.FieldByIndex(f.Index).Interface()
		if key := f.Tag.Get("json"); key != "-" {
			e.Key = key
		}
	}
	return e
}

// Checks collects errors about the fields of a method, for Validate in a line or two.
//
//	func (m NCE) Validate() error { return Check(m).Whole("Ratio", 1, 1000).Option("Noise").Err() }
type Checks struct {
	m    Method
	v    reflect.Value
	errs []error
}

// Check starts checks of m, whose fields are given by their Go names.
func Check(m Method) *Checks { return &Checks{m: m, v: structOf(m)} }

// Err returns all errors, joined, or nil.
func (c *Checks) Err() error { return errors.Join(c.errs...) }

// That reports the field unless ok.
func (c *Checks) That(ok bool, field, want string) *Checks {
	if !ok {
		c.errs = append(c.errs, WrongField(c.m, field, want))
	}
	return c
}

// Positive requires a finite number above zero.
func (c *Checks) Positive(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v > 0 && !math.IsInf(v, 1), field, "> 0")
}

// NonNegative requires a finite number that is not below zero.
func (c *Checks) NonNegative(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v >= 0 && !math.IsInf(v, 1), field, ">= 0")
}

// Share requires a number from 0 to 1.
func (c *Checks) Share(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v >= 0 && v <= 1, field, "in [0, 1]")
}

// Whole requires a whole number from lo to hi, or a negative one if that means none for the field.
func (c *Checks) Whole(field string, lo, hi int) *Checks {
	v := int(c.v.FieldByName(field).Int())
	if f, _ := c.v.Type().FieldByName(field); v < 0 && f.Tag.Get("zero") == "none" {
		return c
	}
	if v < lo {
		return c.That(false, field, fmt.Sprintf(">= %d", lo))
	}
	return c.That(v <= hi, field, fmt.Sprintf("at most %d", hi))
}

// Option requires one of the values that the type of the field lists by a method Options() []string.
func (c *Checks) Option(field string) *Checks {
	v := c.v.FieldByName(field)
	names := v.Interface().(options).Options()
	return c.That(slices.Contains(names, v.String()), field, "one of "+strings.Join(names, ", "))
}

// round rounds x to three digits, since people read settings derived from data.
func round(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
	if unit < 1 {
		return math.Round(x/unit) / math.Round(1/unit) // an exact decimal, not one off in its last bit
	}
	return math.Round(x/unit) * unit
}
