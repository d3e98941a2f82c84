// Command outside is what a user's own module may look like: an objective, an energy, a source of data, a kernel, a
// mass and a density that the library knows nothing of are trained, adapted and run, with checkpoints, and continue
// where they were stopped.
//
//	outside loop FILE [slow]           trains by package train, from FILE if there is one
//	outside fit-OBJECTIVE DIR [slow]   trains by package fit, from the run directory DIR if there is one
//	outside chains FILE [slow]         adapts a kernel and runs it, from FILE if there is one
//	outside silent                     shows that nothing goes wrong without a word
//
// Each prints every tenth step and in the end all that was learnt.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/graphs"
	"github.com/stheno-ebm/stheno/objectives"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// spiral is a source with a memory: points along a spiral, one after another, with noise.
type spiral struct{ turn uint64 }

func (s *spiral) Dim() int { return 2 }

func (s *spiral) Sample(dst *mat.Dense, rng *rand.Rand) {
	n, _ := dst.Dims()
	for i := range n {
		s.turn++
		a := math.Mod(float64(s.turn)*0.618033988749895, 1) * 4 * math.Pi
		dst.Set(i, 0, a/4*math.Cos(a)+0.1*rng.NormFloat64())
		dst.Set(i, 1, a/4*math.Sin(a)+0.1*rng.NormFloat64())
	}
}

func (s *spiral) MarshalState() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, s.turn), nil
}

func (s *spiral) UnmarshalState(b []byte) error {
	if len(b) != 8 {
		return fmt.Errorf("spiral: a state of %d bytes, want 8", len(b))
	}
	s.turn = binary.LittleEndian.Uint64(b)
	return nil
}

// quartic is an energy of one's own: ¼|Wx|⁴ + ½|x|².
func quartic() energy.Energy {
	start := func(p *energy.Params, rng *rand.Rand) {
		for i := range p.Data() {
			p.Data()[i] = 0.2 * rng.NormFloat64()
		}
	}
	return energy.Func{D: 2, Params: []energy.Spec{{Name: "w", Shape: []int{8, 2}}}, Start: start,
		F: func(x *G.Node, theta G.Nodes) (*G.Node, error) {
			return graphs.Try(func() *G.Node {
				z := graphs.RowSum(graphs.Square(graphs.MatMul(x, theta[0], false, true)))
				return graphs.Add(graphs.Scale(graphs.Square(z), 0.25), graphs.Scale(graphs.RowSum(graphs.Square(x)), 0.5))
			})
		}}
}

func run(file string, slow bool) error {
	data := mat.NewDense(500, 2, nil)
	new(spiral).Sample(data, train.Stream(1, "data"))
	facts := objectives.FactsOf(data)
	m, err := objectives.ByName("margin")
	if err != nil {
		return err
	}
	recipe := m.Recipe(facts)
	e := quartic()
	theta := energy.Init(e, train.Stream(1, "init"))
	o, err := objectives.New(m, e, theta, objectives.Config{Data: data, Batch: recipe.Batch})
	if err != nil {
		return err
	}
	resume, err := train.ReadSnapshot(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	res, err := train.Run(context.Background(), train.Config{
		Objective: o, Optimizer: new(train.Adam), Source: new(spiral), Dim: 2, Batch: recipe.Batch, Steps: recipe.Steps,
		LearningRate: recipe.LearningRate, Clip: recipe.Clip, Decay: recipe.Average, Seed: 1,
		Checkpoint: file, CheckpointEvery: 25, Resume: resume, Fingerprint: fmt.Sprint(objectives.Encode(m.Suited(facts))),
		Hooks: train.Hooks{Step: func(p train.Progress) error {
			if p.Step%10 == 0 {
				fmt.Println("step", p.Step)
			}
			if slow {
				time.Sleep(5 * time.Millisecond)
			}
			return nil
		}},
	})
	if err != nil {
		return err
	}
	state, err := o.MarshalState()
	fmt.Printf("learnt %x %x %x\n", bits(theta.Data()), bits(res.Best), state)
	return err
}

func bits(v []float64) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

func main() {
	log.SetFlags(0)
	what, at, slow := os.Args[1], "", len(os.Args) > 3
	if len(os.Args) > 2 {
		at = os.Args[2]
	}
	var err error
	switch objective, fits := strings.CutPrefix(what, "fit-"); {
	case fits:
		err = fitted(at, objective, slow)
	case what == "loop":
		err = run(at, slow)
	case what == "chains":
		err = chains(at, slow)
	case what == "silent":
		err = silent()
	}
	if err != nil {
		log.Fatal(err)
	}
}
