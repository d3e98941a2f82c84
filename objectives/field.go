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
	Key     string       // in configuration files, and the flag of the command line
	Help    string       // one sentence: effect, unit, default
	Type    reflect.Type // of the field
	None    bool         // 0 under its key means none, for which a negative number stands in Go
	Options []string     // the values it may have, if its type lists them; nil: any
}

// options is a type of which few values exist, such as [Projection].
type options interface{ Options() []string }

// Fields lists the settings of a method, those of embedded structs included, in the order of their declaration.
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

// structOf returns the struct that a method is or points to; an empty one if it is of another kind, which has no
// fields.
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
	Key    string // of the field: in configuration files, and the flag of the command line; "" if it has none
	Value  any    // that was found there
	Want   string // what would be right
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("objectives: %s.%s = %v, want %s", e.Method, e.Field, e.Value, e.Want)
}

// WrongField is the error of a field of m, by its Go name, that holds what it should not.
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

// Checks collects what is wrong with the fields of a method: Validate in a line or two.
//
//	func (m NCE) Validate() error { return Check(m).Whole("Ratio", 1, 1000).Option("Noise").Err() }
type Checks struct {
	m    Method
	v    reflect.Value
	errs []error
}

// Check begins the checks of m, whose fields are called by their Go names.
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

// Positive wants a finite number above zero.
func (c *Checks) Positive(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v > 0 && !math.IsInf(v, 1), field, "> 0")
}

// NonNegative wants a finite number that is not below zero.
func (c *Checks) NonNegative(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v >= 0 && !math.IsInf(v, 1), field, ">= 0")
}

// Share wants a number from 0 to 1.
func (c *Checks) Share(field string) *Checks {
	v := c.v.FieldByName(field).Float()
	return c.That(v >= 0 && v <= 1, field, "in [0, 1]")
}

// Whole wants a whole number from lo to hi. A field whose negative numbers mean none may hold these, too.
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

// Option wants one of the values that the type of the field lists by a method Options() []string.
func (c *Checks) Option(field string) *Checks {
	v := c.v.FieldByName(field)
	names := v.Interface().(options).Options()
	return c.That(slices.Contains(names, v.String()), field, "one of "+strings.Join(names, ", "))
}

// round returns x to three digits, since settings that follow from data are read by people.
func round(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
	if unit < 1 {
		return math.Round(x/unit) / math.Round(1/unit) // a decimal, not one off in its last bit
	}
	return math.Round(x/unit) * unit
}
