package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/stheno-ebm/stheno/energy"
	"github.com/stheno-ebm/stheno/mcmc"
	"github.com/stheno-ebm/stheno/objectives/train"
)

// chains adapts the own kernel to the own energy and lets it run, with a checkpoint every 25 transitions, from the
// last one if there is one: the chains, the kernel and the random numbers.
func chains(file string, slow bool) error {
	e := quartic()
	theta := energy.Init(e, train.Stream(1, "init"))
	target, err := energy.NewEvaluator(e, theta, energy.EvaluatorConfig{Batch: 16, Precision: energy.Float64})
	if err != nil {
		return err
	}
	source := rand.NewPCG(1, 2)
	rng := rand.New(source)
	k, s, t := &tides{}, &mcmc.State{}, 0
	switch b, err := os.ReadFile(file); {
	case err == nil:
		if t, err = restored(b, k, s, source); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist):
		start := mat.NewDense(64, 2, nil)
		disc{2}.Sample(start, rng)
		draws, err := mcmc.Sample(context.Background(), k, mcmc.Cloned(target), start,
			mcmc.SampleConfig{Draws: 1, Warmup: mcmc.Warmup{Steps: 100}, Workers: 2}, rng)
		if err != nil {
			return err
		}
		adapted, ok := draws.Kernels[0].(*tides)
		if !ok || adapted.calls == 0 || !(adapted.StepSize > 0.02) || adapted.Mass == nil {
			return fmt.Errorf("the kernel is adapted to %#v", draws.Kernels[0])
		}
		k, s = adapted, mcmc.NewState(draws.Last)
	default:
		return err
	}
	for ; t < 200; t++ {
		if t%25 == 0 {
			if err := checkpoint(file, t, k, s, source); err != nil {
				return err
			}
		}
		if t%10 == 0 {
			fmt.Println("step", t)
		}
		if _, err := k.Step(s, target, rng); err != nil {
			return err
		}
		if slow {
			time.Sleep(5 * time.Millisecond)
		}
	}
	fmt.Printf("learnt %x %d\n", bits(s.X.RawMatrix().Data), k.calls)
	return nil
}

func checkpoint(file string, t int, k *tides, s *mcmc.State, source *rand.PCG) error {
	state, err1 := s.MarshalBinary()
	random, err2 := source.MarshalBinary()
	b := binary.LittleEndian.AppendUint64(nil, uint64(t))
	b = binary.LittleEndian.AppendUint64(b, k.calls)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(k.StepSize))
	l := k.Mass.(matrix)
	b = append(b, bits(l[:])...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(random)))
	err3 := os.WriteFile(file+".new", append(append(b, random...), state...), 0o644)
	return errors.Join(err1, err2, err3, os.Rename(file+".new", file))
}

func restored(b []byte, k *tides, s *mcmc.State, source *rand.PCG) (t int, err error) {
	word := func() uint64 {
		w := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return w
	}
	t = int(word())
	k.calls, k.StepSize = word(), math.Float64frombits(word())
	var l matrix
	for i := range l {
		l[i] = math.Float64frombits(word())
	}
	k.Mass = l
	n := word()
	return t, errors.Join(source.UnmarshalBinary(b[:n]), s.UnmarshalBinary(b[n:]))
}
