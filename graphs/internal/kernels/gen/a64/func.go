package a64

import (
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
)

// V is a virtual vector register.
type V struct{ id int }

// Asm makes a register an operand.
func (v *V) Asm() string { return fmt.Sprintf("v%d", v.id) }

// Handle is another name of what v stands for now: renaming it leaves v alone.
func (v *V) Handle() *V { return &V{v.id} }

type ins struct {
	def, use  []int
	enc       func(r func(int) int) Enc // a vector instruction
	text      string                    // or a line of Go assembly
	label, to string                    // defined here, jumped to from here
	ends      bool                      // does not fall through
	scalar    string                    // or an operation on two F registers
	move      bool                      // a copy, left out where both got the same register
}

// Func collects the instructions of one function.
type Func struct {
	Name, Sig string
	Args      int // bytes of arguments and results
	frame     int
	code      []ins
	n         int
	Used      int // registers, after Write
}

// New is a new virtual register.
func (f *Func) New() *V { f.n++; return &V{f.n - 1} }

// Local reserves bytes of the stack frame and returns their offset from RSP.
func (f *Func) Local(bytes int) int {
	f.frame = (f.frame + 15) &^ 15
	off := f.frame
	f.frame += bytes
	return off + 8 // the link register lies at 0(RSP)
}

// Go appends a line of Go assembly that touches no vector register.
func (f *Func) Go(format string, a ...any) {
	f.code = append(f.code, ins{text: fmt.Sprintf(format, a...)})
}

// GoUse is Go for a line that reads v, as F register: %F in format stands for it.
func (f *Func) GoUse(v *V, format string, a ...any) {
	f.code = append(f.code, ins{use: []int{v.id}, text: fmt.Sprintf(format, a...)})
}

// GoDef is Go for a line that writes v.
func (f *Func) GoDef(v *V, format string, a ...any) {
	f.code = append(f.code, ins{def: []int{v.id}, text: fmt.Sprintf(format, a...)})
}

// GoAdd is d = d op s for a scalar operation on F registers.
func (f *Func) GoAdd(d, s *V, op string) {
	f.code = append(f.code, ins{def: []int{d.id}, use: []int{d.id, s.id}, scalar: op})
}

func (f *Func) Label(l string) { f.code = append(f.code, ins{label: l}) }

// Jump appends a branch, such as "BNE", or "CBZ R1,".
func (f *Func) Jump(op, to string) {
	f.code = append(f.code, ins{text: op + " " + to, to: to, ends: op == "B" || op == "JMP"})
}
func (f *Func) Ret() { f.code = append(f.code, ins{text: "RET", ends: true}) }

// Op appends an instruction that writes def and reads use.
func (f *Func) Op(def, use []*V, enc func(r func(*V) int) Enc) {
	ids := map[*V]int{} // registers may be renamed later
	conv := func(vs []*V) (out []int) {
		for _, v := range vs {
			ids[v] = v.id
			out = append(out, v.id)
		}
		return
	}
	i := ins{def: conv(def), use: conv(use)}
	i.enc = func(r func(int) int) Enc { return enc(func(v *V) int { return r(ids[v]) }) }
	f.code = append(f.code, i)
}

// Move copies s to d; it vanishes where s is not needed any more.
func (f *Func) Move(d, s *V, enc func(d, s int) Enc) {
	x, y := d.id, s.id
	f.code = append(f.code, ins{def: []int{x}, use: []int{y}, move: true, enc: func(r func(int) int) Enc {
		return enc(r(x), r(y))
	}})
}

// Rename makes d stand for what v stands for; only in straight-line code.
func (d *V) Rename(v *V) { d.id = v.id }

// Failed is the panic of a function that needs more than 32 registers.
type Failed struct{ Name string }

// allocate colours the interference graph greedily, in the order of first appearance.
func (f *Func) allocate() []int {
	words := (f.n + 63) / 64
	type set = []uint64
	live := make([]set, len(f.code)+1) // before instruction i
	for i := range live {
		live[i] = make(set, words)
	}
	at := map[string]int{}
	for i, c := range f.code {
		if c.label != "" {
			at[c.label] = i
		}
	}
	out := func(i int) set {
		s := make(set, words)
		c := f.code[i]
		if !c.ends {
			copy(s, live[i+1])
		}
		if c.to != "" {
			t, ok := at[c.to]
			if !ok {
				panic("a64: no label " + c.to)
			}
			for k, w := range live[t] {
				s[k] |= w
			}
		}
		return s
	}
	for changed := true; changed; {
		changed = false
		for i := len(f.code) - 1; i >= 0; i-- {
			s := out(i)
			for _, d := range f.code[i].def {
				s[d/64] &^= 1 << (d % 64)
			}
			for _, u := range f.code[i].use {
				s[u/64] |= 1 << (u % 64)
			}
			if !slices.Equal(s, live[i]) {
				live[i], changed = s, true
			}
		}
	}
	for _, w := range live[0] {
		if w != 0 {
			panic("a64: " + f.Name + " reads a register that nothing wrote")
		}
	}
	edges := make([]set, f.n)
	for i := range edges {
		edges[i] = make(set, words)
	}
	var order []int
	seen := make([]bool, f.n)
	like := map[int]int{} // d copies like[d]
	for i, c := range f.code {
		s := out(i)
		for _, d := range c.def {
			if !seen[d] {
				seen[d] = true
				order = append(order, d)
			}
			for _, e := range c.def {
				s[e/64] |= 1 << (e % 64)
			}
			if c.move {
				s[c.use[0]/64] &^= 1 << (c.use[0] % 64)
				like[d] = c.use[0]
			}
			for k, w := range s {
				edges[d][k] |= w
				for ; w != 0; w &= w - 1 {
					e := 64*k + bits.TrailingZeros64(w)
					edges[e][d/64] |= 1 << (d % 64)
				}
			}
		}
	}
	color := make([]int, f.n)
	for i := range color {
		color[i] = -1
	}
	next := 0 // by turns, so that independent bodies do not wait for each other where registers are not renamed
	for _, d := range order {
		var taken uint32
		for k, w := range edges[d] {
			for ; w != 0; w &= w - 1 {
				if e := 64*k + bits.TrailingZeros64(w); e != d && color[e] >= 0 {
					taken |= 1 << color[e]
				}
			}
		}
		if taken == 0xffffffff {
			panic(Failed{f.Name})
		}
		if s, ok := like[d]; ok && color[s] >= 0 && taken>>color[s]&1 == 0 {
			color[d] = color[s]
			continue
		}
		for taken>>next&1 != 0 {
			next = (next + 1) % 32
		}
		color[d] = next
		next = (next + 1) % 32
	}
	count := uint32(0)
	for _, c := range color {
		if c >= 0 {
			count |= 1 << c
		}
	}
	f.Used = bits.OnesCount32(count)
	return color
}

// Write assigns the registers and writes the function.
func (f *Func) Write(w io.Writer) {
	color := f.allocate()
	r := func(id int) int { return color[id] }
	frame := f.frame
	flags := "NOSPLIT"
	if frame == 0 {
		flags += "|NOFRAME"
	}
	fmt.Fprintf(w, "\n// func %s%s\nTEXT ·%[1]s(SB), %[5]s, $%[3]d-%[4]d\n", f.Name, f.Sig, frame, f.Args, flags)
	for _, c := range f.code {
		switch {
		case c.label != "":
			fmt.Fprintf(w, "%s:\n", c.label)
		case c.move && color[c.def[0]] == color[c.use[0]]:
		case c.scalar != "":
			fmt.Fprintf(w, "\t%s F%d, F%d\n", c.scalar, color[c.use[1]], color[c.use[0]])
		case c.enc != nil:
			e := c.enc(r)
			fmt.Fprintf(w, "\tWORD $0x%08x // %s\n", e.Word, e.Text)
		default:
			t := c.text
			for _, id := range append(c.use, c.def...) {
				t = strings.ReplaceAll(t, "%F", fmt.Sprintf("F%d", color[id]))
			}
			fmt.Fprintf(w, "\t%s\n", t)
		}
	}
}
