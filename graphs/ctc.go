package graphs

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ctcOp is Gorgonia's CTCLoss. Its operands are log-probabilities (time, batch, labels), targets, and the lengths of
// the inputs and of the targets. Label 0 is the blank. It can be differentiated once: its gradient, ctcGradOp, has no
// rule.
//
// Graves et al., Connectionist temporal classification, ICML 2006.
type ctcOp struct{ mean bool }

func (o ctcOp) String() string { return fmt.Sprintf("ctc(%v)", o.mean) }
func (o ctcOp) arity() int     { return 4 }
func (o ctcOp) fixed() []bool  { return []bool{false, true, true, true} }
func (o ctcOp) whole() []bool  { return []bool{false, true, true, true} }

func (o ctcOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[0]) != 3 || len(in[1]) < 1 || len(in[1]) > 2 {
		return nil, fmt.Errorf("%w: want log-probabilities (time, batch, labels) and targets (batch, length) or "+
			"(lengths)", ErrShape)
	}
	return tensor.Shape{}, nil
}

func (o ctcOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	dst[0] = 0
	o.each(in, shape, func(s ctcSequence, weight float64) { dst[0] += weight * s.logLikelihood(s.forward()) })
}

func (o ctcOp) vjp(in G.Nodes, _, g *G.Node, _ []bool) G.Nodes {
	return G.Nodes{Mul(Fill(g, in[0]), apply(ctcGradOp(o), in...)), nil, nil, nil}
}

func (o ctcOp) jvp(in G.Nodes, _ *G.Node, t G.Nodes) *G.Node {
	return mapTangent(t[0], func(x *G.Node) *G.Node { return sum(Mul(apply(ctcGradOp(o), in...), x), true) })
}

func (ctcOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node { return ctcOnce()[0] }

// each calls f for every sequence of the batch with the weight of its log-likelihood in the loss.
func (o ctcOp) each(in [][]float64, shape []tensor.Shape, f func(s ctcSequence, weight float64)) {
	batch, labels := shape[0][1], shape[0][2]
	at := 0
	for b := range batch {
		s := ctcSequence{steps: int(in[2][b]), logProbs: in[0], first: b * labels, stride: batch * labels}
		length := int(in[3][b])
		if len(shape[1]) == 2 {
			at = b * shape[1][1]
		}
		s.path = make([]int, 2*length+1)
		for i := range length {
			s.path[2*i+1] = int(in[1][at+i])
		}
		at += length
		weight := -1.0
		if length == 0 { // without labels Gorgonia's loss is +log p
			weight = 1
		}
		if o.mean {
			weight /= float64(max(length, 1) * batch)
		}
		f(s, weight)
	}
}

// ctcSequence is one sequence: the target with blanks around its labels, and where its log-probabilities are.
type ctcSequence struct {
	path          []int
	steps         int
	logProbs      []float64
	first, stride int
}

func (s ctcSequence) logProb(t, i int) float64 { return s.logProbs[s.at(t, i)] }
func (s ctcSequence) at(t, i int) int          { return s.first + t*s.stride + s.path[i] }

// jump reports whether a path may go from i-2 to i, over a blank between different labels.
func (s ctcSequence) jump(i int) bool { return i >= 2 && s.path[i] != s.path[i-2] }

// forward returns the log-probability α_t(i) of all paths that are at i at time t.
func (s ctcSequence) forward() []float64 {
	w := len(s.path)
	alpha := make([]float64, s.steps*w)
	for t := range s.steps {
		for i := range w {
			x := math.Inf(-1)
			switch {
			case t == 0 && i < 2:
				x = 0
			case t > 0:
				before := alpha[(t-1)*w : t*w]
				x = before[i]
				if i >= 1 {
					x = logAdd(x, before[i-1])
				}
				if s.jump(i) {
					x = logAdd(x, before[i-2])
				}
			}
			alpha[t*w+i] = x + s.logProb(t, i)
		}
	}
	return alpha
}

// backward returns the log-probability β_t(i) of the remainders, from time t on, of all paths that are at i then.
func (s ctcSequence) backward() []float64 {
	w := len(s.path)
	beta := make([]float64, s.steps*w)
	for t := s.steps - 1; t >= 0; t-- {
		for i := range w {
			x := math.Inf(-1)
			switch {
			case t == s.steps-1 && i >= w-2:
				x = 0
			case t < s.steps-1:
				after := beta[(t+1)*w : (t+2)*w]
				x = after[i]
				if i+1 < w {
					x = logAdd(x, after[i+1])
				}
				if i+2 < w && s.jump(i+2) {
					x = logAdd(x, after[i+2])
				}
			}
			beta[t*w+i] = x + s.logProb(t, i)
		}
	}
	return beta
}

func (s ctcSequence) logLikelihood(alpha []float64) float64 {
	end := alpha[len(alpha)-1]
	if len(s.path) > 1 {
		end = logAdd(end, alpha[len(alpha)-2])
	}
	return end
}

// ctcGradOp is the gradient of ctcOp in the log-probabilities,
//
//	∂log p/∂logprob_{t,k} = Σ_{i: l_i = k} exp(α_t(i) + β_t(i) - logprob_{t,k} - log p).
//
// They need not be normalised.
type ctcGradOp ctcOp

func (o ctcGradOp) String() string { return fmt.Sprintf("ctcgrad(%v)", o.mean) }
func (o ctcGradOp) arity() int     { return 4 }
func (o ctcGradOp) fixed() []bool  { return ctcOp(o).fixed() }
func (o ctcGradOp) whole() []bool  { return ctcOp(o).whole() }

func (o ctcGradOp) shape(in []tensor.Shape) (tensor.Shape, error) {
	_, err := ctcOp(o).shape(in)
	return slices.Clone(in[0]), err
}

func (o ctcGradOp) eval(dst []float64, in [][]float64, shape []tensor.Shape) {
	clear(dst)
	ctcOp(o).each(in, shape, func(s ctcSequence, weight float64) {
		alpha, beta := s.forward(), s.backward()
		total := s.logLikelihood(alpha)
		w := len(s.path)
		for t := range s.steps {
			for i := range w {
				dst[s.at(t, i)] += weight * math.Exp(alpha[t*w+i]+beta[t*w+i]-s.logProb(t, i)-total)
			}
		}
	})
}

// logAdd is log(exp a + exp b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

func (ctcGradOp) vjp(G.Nodes, *G.Node, *G.Node, []bool) G.Nodes { return ctcOnce() }
func (ctcGradOp) jvp(G.Nodes, *G.Node, G.Nodes) *G.Node         { return ctcOnce()[0] }
func (ctcGradOp) curve(G.Nodes, *G.Node, []G.Nodes) *G.Node     { return ctcOnce()[0] }

func ctcOnce() G.Nodes {
	failf("%w of Gorgonia's CTCLoss: it is differentiated once only", ErrNoRule)
	return nil
}
