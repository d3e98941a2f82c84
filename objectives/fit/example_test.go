package fit_test

import (
	"context"
	"fmt"

	"github.com/stheno-ebm/stheno/datasets"
	"github.com/stheno-ebm/stheno/objectives/fit"
)

// From the points of a file to a trained and measured model, and draws from it.
func Example() {
	points := must(datasets.Open("testdata/points.csv"))
	model := must(fit.Train(context.Background(), points, fit.Config{}))
	draw := must(model.Sample(context.Background(), fit.SampleConfig{N: 1000}))
	fmt.Printf("%.1f nats per point held out\n", model.Result.Eval.NLL)
	fmt.Println("draws:", draw.X.RawMatrix().Rows)
	// Output:
	// 2.4 nats per point held out
	// draws: 1000
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
