package ir

import (
	"fmt"
	"math"
	"strings"

	"github.com/stheno-ebm/stheno/graphs/internal/kernels"
)

type (
	// Unary is the Order-th derivative of Fn at a.
	Unary struct {
		mapped
		Fn    kernels.Func
		Order int
	}
	// Pow is the Order-th derivative of a^P.
	Pow struct {
		mapped
		P     float64
		Order int
	}
	// Func is a Go function, which Label identifies.
	Func struct {
		mapped
		Label string
		F     func(float64) float64
	}

	Add   struct{ mapped } // a + b
	Sub   struct{ mapped } // a − b
	Mul   struct{ mapped } // a ∘ b
	Div   struct{ mapped } // a / b
	Max   struct{ mapped } // max(a, b)
	Min   struct{ mapped } // min(a, b)
	Power struct{ mapped } // a^b

	// Compare is 1 where the relation of a and b holds, else 0.
	Compare struct {
		mapped
		Relation Relation
	}
	// Scale is C·a.
	Scale struct {
		mapped
		C float64
	}
	// Shift is a + C.
	Shift struct {
		mapped
		C float64
	}
)

func (Unary) Name() string   { return "unary" }
func (Pow) Name() string     { return "pow" }
func (Func) Name() string    { return "func" }
func (Add) Name() string     { return "add" }
func (Sub) Name() string     { return "sub" }
func (Mul) Name() string     { return "mul" }
func (Div) Name() string     { return "div" }
func (Max) Name() string     { return "max" }
func (Min) Name() string     { return "min" }
func (Power) Name() string   { return "power" }
func (Compare) Name() string { return "cmp" }
func (Scale) Name() string   { return "scale" }
func (Shift) Name() string   { return "shift" }

func (o Unary) Text(a []string) string {
	return fmt.Sprint(o.Fn, strings.Repeat("′", o.Order), "(", a[0], ")")
}
func (o Pow) Text(a []string) string     { return fmt.Sprintf("pow(%s, %g) order %d", a[0], o.P, o.Order) }
func (o Func) Text(a []string) string    { return o.Label + "(" + a[0] + ")" }
func (Add) Text(a []string) string       { return a[0] + " + " + a[1] }
func (Sub) Text(a []string) string       { return a[0] + " - " + a[1] }
func (Mul) Text(a []string) string       { return a[0] + " ∘ " + a[1] }
func (Div) Text(a []string) string       { return a[0] + " / " + a[1] }
func (Max) Text(a []string) string       { return "max(" + a[0] + ", " + a[1] + ")" }
func (Min) Text(a []string) string       { return "min(" + a[0] + ", " + a[1] + ")" }
func (Power) Text(a []string) string     { return a[0] + "^" + a[1] }
func (o Compare) Text(a []string) string { return a[0] + " " + o.Relation.String() + " " + a[1] }
func (o Scale) Text(a []string) string   { return fmt.Sprintf("%g %s", o.C, a[0]) }
func (o Shift) Text(a []string) string   { return fmt.Sprintf("%s + %g", a[0], o.C) }

// factorKey is the key of an instruction with a numeric parameter, which is compared by its bits: 0 and −0 differ.
type factorKey struct {
	op Op
	c  uint64
}

// funcKey is the key of a Func.
type funcKey string

func (o Scale) key() any { return factorKey{Scale{}, math.Float64bits(o.C)} }
func (o Shift) key() any { return factorKey{Shift{}, math.Float64bits(o.C)} }
func (o Pow) key() any   { return factorKey{Pow{Order: o.Order}, math.Float64bits(o.P)} }
func (o Func) key() any  { return funcKey(o.Label) }

// Relation is the comparison that a Compare makes.
type Relation uint8

// The relations.
const (
	Lt Relation = iota
	Le
	Gt
	Ge
	Eq
	Ne
)

var relationNames = [...]string{Lt: "<", Le: "<=", Gt: ">", Ge: ">=", Eq: "==", Ne: "!="}

func (r Relation) String() string { return relationNames[r] }

func (g *Graph) map1(op Op, a ID) ID {
	in := g.At(a)
	return g.Emit(op, in.Rows, in.Cols, a)
}

func (g *Graph) map2(op Op, a, b ID) ID {
	rows, cols := g.sameShape(op, a, b)
	return g.Emit(op, rows, cols, a, b)
}

// Unary is fn^(order)(a).
func (g *Graph) Unary(fn kernels.Func, order int, a ID) ID {
	return g.map1(Unary{Fn: fn, Order: order}, a)
}

// Pow is the order-th derivative of a^p.
func (g *Graph) Pow(p float64, order int, a ID) ID { return g.map1(Pow{P: p, Order: order}, a) }

// Func is f(a). Functions with equal labels must be equal.
func (g *Graph) Func(label string, f func(float64) float64, a ID) ID {
	return g.map1(Func{Label: label, F: f}, a)
}

// Add is a + b.
func (g *Graph) Add(a, b ID) ID { return g.map2(Add{}, a, b) }

// Sub is a − b.
func (g *Graph) Sub(a, b ID) ID { return g.map2(Sub{}, a, b) }

// Mul is a ∘ b.
func (g *Graph) Mul(a, b ID) ID { return g.map2(Mul{}, a, b) }

// Div is a / b.
func (g *Graph) Div(a, b ID) ID { return g.map2(Div{}, a, b) }

// Max is the larger of a and b.
func (g *Graph) Max(a, b ID) ID { return g.map2(Max{}, a, b) }

// Min is the smaller of a and b.
func (g *Graph) Min(a, b ID) ID { return g.map2(Min{}, a, b) }

// Power is a^b.
func (g *Graph) Power(a, b ID) ID { return g.map2(Power{}, a, b) }

// Compare is 1 where r holds for a and b, else 0.
func (g *Graph) Compare(r Relation, a, b ID) ID { return g.map2(Compare{Relation: r}, a, b) }

// Scale is c·a.
func (g *Graph) Scale(a ID, c float64) ID { return g.map1(Scale{C: c}, a) }

// Shift is a + c.
func (g *Graph) Shift(a ID, c float64) ID { return g.map1(Shift{C: c}, a) }
