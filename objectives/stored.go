package objectives

import "reflect"

// Unstored names the fields of m that a configuration file does not hold, and that the method which is made of such a
// file again, for the same data, does not have either: whoever reads the file gets another objective. There are none
// where a method was registered with all its Go values, or has those that suit the data.
func Unstored(name string, m Method, data Facts) []string {
	m = m.Suited(data)
	known, err := Decode(name, Encode(m))
	if err != nil || structOf(known).Type() != structOf(m).Type() {
		return nil
	}
	known = known.Suited(data)
	stored := map[string]bool{}
	for _, f := range Fields(m) {
		stored[f.Name] = true
	}
	return unstored(structOf(m), structOf(known), stored)
}

func unstored(v, known reflect.Value, stored map[string]bool) (names []string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			names = append(names, unstored(v.Field(i), known.Field(i), stored)...)
		case f.IsExported() && !stored[f.Name] && !same(v.Field(i), known.Field(i)):
			names = append(names, f.Name)
		}
	}
	return names
}

// same reports whether two values of one type are the same; functions are where their code is.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Func {
		return a.Pointer() == b.Pointer()
	}
	return a.IsZero() && b.IsZero() || reflect.DeepEqual(a.Interface(), b.Interface())
}
