package viz

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// compactSVG shortens the paths of an SVG: relative coordinates in tenths of a point, a quarter of a pixel at scale2x,
// and attributes instead of styles. Absolute coordinates are rounded, so errors do not accumulate. Other lines, and
// paths it does not understand, are left as they are.
func compactSVG(svg []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(svg) / 2)
	for line := range bytes.Lines(svg) {
		text, ok := strings.CutPrefix(string(line), `<path d="`)
		data, rest, cut := strings.Cut(text, `" style="`)
		style, end, closed := strings.Cut(rest, `"`)
		short, known := relative(data)
		// applies to everything drawn; filled paths override it
		if strings.HasPrefix(string(line), `<g transform="scale(1, -1)`) {
			out.WriteString(`<g fill="none"` + strings.TrimPrefix(string(line), "<g"))
			continue
		}
		if !ok || !cut || !closed || !known || strings.TrimSpace(end) != "/>" {
			out.Write(line)
			continue
		}
		out.WriteString(`<path d="` + short + `"`)
		for property := range strings.SplitSeq(style, ";") {
			if name, value, ok := strings.Cut(property, ":"); ok {
				if v, err := strconv.ParseFloat(value, 64); err == nil {
					value = strconv.FormatFloat(math.Round(1000*v)/1000, 'f', -1, 64)
				}
				if strings.HasPrefix(value, "0.") {
					value = value[1:]
				}
				if value != "none" {
					out.WriteString(" " + name + `="` + value + `"`)
				}
			}
		}
		out.WriteString("/>\n")
	}
	return out.Bytes()
}

// relative writes path data of the commands M L Q C A Z with relative coordinates.
func relative(data string) (short string, ok bool) {
	const unit, most = 10, 1e6
	var b strings.Builder
	var at, start [2]int
	var last byte
	for len(data) > 0 {
		command := data[0]
		n := 1 + strings.IndexAny(data[1:]+"M", "MLQCAZ")
		fields := strings.FieldsFunc(data[1:n], func(r rune) bool { return r == ',' || r == ' ' })
		data = data[n:]
		if n := strings.IndexByte("Z.M.Q.CA", command); command == 'L' && len(fields) != 2 || command != 'L' &&
			(n < 0 || n != len(fields)) {
			return "", false // the index of a command in the string is its number of arguments
		}
		separate := command == 'L' && last == 'L' // a repeated command needs no letter
		if last = command; !separate {
			b.WriteByte(command + 'a' - 'A')
		}
		if command == 'Z' {
			at = start
			continue
		}
		end := at
		put := func(s string) {
			if separate && s[0] != '-' {
				b.WriteByte(' ')
			}
			b.WriteString(s)
			separate = true
		}
		for k, field := range fields {
			if command == 'A' && k < 5 {
				put(field)
				continue
			}
			v, err := strconv.ParseFloat(field, 64)
			if err != nil || !(math.Abs(v) < most) {
				return "", false
			}
			axis := k % 2
			if command == 'A' {
				axis = (k - 5) % 2
			}
			end[axis] = int(math.Round(v * unit))
			put(tenths(end[axis] - at[axis]))
		}
		if at = end; command == 'M' {
			start = at
		}
	}
	return b.String(), true
}

// tenths writes v/10 with as few digits as possible.
func tenths(v int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	whole := strconv.Itoa(v / 10)
	switch {
	case v%10 == 0:
		return sign + whole
	case v < 10:
		whole = ""
	}
	return sign + whole + "." + strconv.Itoa(v%10)
}
