// Package energy defines energies E_θ(x) and holds their parameters θ.
//
// An energy is low where there are data and high elsewhere; it represents the density
//
//	p_θ(x) = exp(-E_θ(x)) / Z_θ,   Z_θ = ∫ exp(-E_θ(x)) dx.
//
// An [Energy] describes itself by the names and shapes of its parameters and by a function that builds the graph of
// E_θ for a batch of points. It holds no numbers: θ is a [Params], one flat []float64 with a named, shaped view for
// every parameter. Gradients, optimizer moments, averages and checkpoints have the same layout.
//
//	Energy ──Specs──▶ Params ◀── optimizer, checkpoint
//	   │Build            │ live θ
//	   ▼                 ▼
//	 graph ──Compile──▶ Evaluator ──EnergyGrad──▶ samplers, metrics, pictures
//
// # Conventions
//
// A batch x has n rows and d = Dim columns; energies are (n, 1). Rows are independent. Numbers at the interface are
// float64; the graph computes in the dtype of its input x, float32 or float64. The last bits of a row's energy may
// depend on how many rows are computed at a time, since products of other shapes are added up in another order: about
// 1e-7 of it in float32, 1e-16 in float64. With the same rows in a call they are the same, whatever the number of
// threads.
//
// # Kinds of energies
//
// Networks: [MLP], [Residual], [Conv] on pictures; a network on an embedding of x: [Fourier]. Densities with known
// normaliser and exact sampler (they implement [Known]): [Gaussian], [GaussianMixture]. Any graph of your own: [Func].
// Any known density of package density: [NewDensity]; the same, compiled, as a density again: [CompileDensity]. Fixed
// mixtures around data, as backgrounds, noises and references: [Mixture], made by [Ladder], [AdaptiveLadder] and at
// the width that density.KernelWidth finds. Wrappers, which keep the parameters of what they wrap: [Confined] adds a
// quadratic that makes Z finite, [Spectral] divides weights by their spectral norm, [Bridge] mixes the density with a
// known one, [Annealable] turns an energy of d+1 variables into one of d variables that knows a noise level.
//
// There are examples of [NewMLP], [Func], [Evaluator], [Params], [Confine], [Bridge], [Annealable], [NewFourier] and
// [NewSpectral].
package energy
