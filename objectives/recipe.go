package objectives

// DefaultRecipe suits objectives that compare energies: those of data with those of noise, neighbours or chains.
func DefaultRecipe(data Facts) Recipe {
	r := Recipe{LearningRate: 2e-3, Batch: 256, Steps: 4000, Warmup: 100, Clip: 1, Average: 0.995}
	if data.Points > 0 {
		r.Smooth = 0.6
	}
	return r
}

// ScoreRecipe suits objectives that match scores: they have more variance, and use a bridge.
func ScoreRecipe(data Facts) Recipe {
	r := DefaultRecipe(data)
	r.LearningRate, r.Batch, r.Steps, r.Clip, r.Bridge = 5e-3, 512, 6000, 10, 0.2
	r.Average = 0.9992 // for the weights of modes, the least certain part, to settle
	if data.Points > 0 {
		r.Smooth = 0.9 // slopes depend more on single points than energies do
	}
	return r
}
