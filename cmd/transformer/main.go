// Transformer trains a small next-character model, written with Gorgonia's own functions, on a rhyme: alternately on
// Gorgonia's tape machine and on graphs.NewMachine, from the same weights. At the end it continues the rhyme.
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stheno-ebm/stheno/graphs"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const text = "the crow sat low on the old grey wall, the wind came slow through the trees so tall, " +
	"the rain fell fast on the road to town, and the crow flew up as the sun went down. "
const batch, length, width, rounds, steps = 16, 24, 32, 6, 40

var letters = strings.Join(slices.Compact(slices.Sorted(slices.Values(strings.Split(text, "")))), "")

type model struct {
	vm           G.VM
	x, y         *tensor.Dense // characters and their successors, one-hot
	loss, logits G.Value
	weights      []G.ValueGrad
	solver       G.Solver
	rng          *rand.Rand
	elapsed      float64 // seconds
}

func newModel(newVM func(g *G.ExprGraph, learn G.Nodes) G.VM) *model {
	m := &model{rng: rand.New(rand.NewPCG(1, 2)), solver: G.NewAdamSolver(G.WithLearnRate(0.01))}
	g, rows, learn := G.NewGraph(), batch*length, G.Nodes{}
	input := func(name string, v func(i int) float64, shape ...int) *G.Node {
		d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		for i := range d.Float32s() {
			d.SetF32(i, float32(v(i)))
		}
		return G.NewTensor(g, G.Float32, len(shape), G.WithName(name), G.WithShape(shape...), G.WithValue(d))
	}
	weight := func(from, to int) *G.Node {
		normal := func(int) float64 { return m.rng.NormFloat64() / math.Sqrt(float64(from)) }
		learn = append(learn, input(fmt.Sprint("w", len(learn)), normal, from, to))
		return learn[len(learn)-1]
	}
	zero, ahead := func(int) float64 { return 0 }, func(i int) float64 { return float64(i%length - i/length%length) }
	x, y := input("x", zero, rows, len(letters)), input("y", zero, rows, len(letters))
	m.x, m.y = x.Value().(*tensor.Dense), y.Value().(*tensor.Dense)
	place := input("place", func(i int) float64 { return max(0, 1-math.Abs(ahead(i))) }, rows, length)
	future := input("future", func(i int) float64 { return -1e9 * max(ahead(i), 0) }, batch, length, length)
	h := must(G.Add(must(G.Mul(x, weight(len(letters), width))), must(G.Mul(place, weight(length, width)))))
	three := tensor.Shape{batch, length, width}
	split := func() *G.Node { return must(G.Reshape(must(G.Mul(h, weight(width, width))), three)) }
	scores := must(G.BatchedMatMul(split(), must(G.Transpose(split(), 0, 2, 1))))
	scores = must(G.Add(must(G.HadamardDiv(scores, G.NewConstant(float32(math.Sqrt(width))))), future))
	mixed := must(G.Reshape(must(G.BatchedMatMul(must(G.SoftMax(scores, 2)), split())), tensor.Shape{rows, width}))
	h = must(G.Add(h, must(G.Mul(mixed, weight(width, width)))))
	h = must(G.Add(h, must(G.Mul(must(G.Rectify(must(G.Mul(h, weight(width, 4*width))))), weight(4*width, width)))))
	logits := must(G.Mul(h, weight(width, len(letters))))
	loss := must(G.Sum(must(G.HadamardProd(y, must(G.LogSoftMax(logits, 1))))))
	loss = must(G.HadamardDiv(loss, G.NewConstant(float32(-rows))))
	m.weights = G.NodesToValueGrads(learn)
	G.Read(loss, &m.loss)
	G.Read(logits, &m.logits)
	must(G.Grad(loss, learn...))
	m.vm = newVM(g, learn)
	return m
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// run reads s from the positions given by start and computes loss, logits and gradients.
func (m *model) run(s string, start func() int) {
	m.x.Zero()
	m.y.Zero()
	for row, k := 0, 0; row < batch*length; row, k = row+1, k+1 {
		if row%length == 0 {
			k = start()
		}
		m.x.SetF32(row*len(letters)+strings.IndexByte(letters, s[k%len(s)]), 1)
		m.y.SetF32(row*len(letters)+strings.IndexByte(letters, s[(k+1)%len(s)]), 1)
	}
	defer func(began time.Time) { m.elapsed += time.Since(began).Seconds() }(time.Now())
	must(0, m.vm.RunAll())
}

func main() {
	tape := newModel(func(g *G.ExprGraph, w G.Nodes) G.VM { return G.NewTapeMachine(g, G.BindDualValues(w...)) })
	ours := newModel(func(g *G.ExprGraph, _ G.Nodes) G.VM { return must(graphs.NewMachine(g)) })
	for step := 1; step <= rounds*steps; step++ {
		for _, m := range []*model{tape, ours} {
			m.run(text, func() int { return m.rng.IntN(len(text)) })
			must(0, m.solver.Step(m.weights))
			m.vm.Reset()
		}
		if step%steps == 0 {
			fmt.Printf("step %3d: loss %.4f on the tape, %.4f on the Machine\n", step, tape.loss.Data(), ours.loss.Data())
		}
	}
	fmt.Printf("%.2f s and %.2f s: %.1f times as fast\n", tape.elapsed, ours.elapsed, tape.elapsed/ours.elapsed)
	told := text[:length]
	for range 60 { // the most likely next character, again and again
		ours.run(told[len(told)-length:], func() int { return 0 })
		row := ours.logits.Data().([]float32)[(length-1)*len(letters) : length*len(letters)]
		told += letters[slices.Index(row, slices.Max(row)):][:1]
		ours.vm.Reset()
	}
	fmt.Println(told)
}
