// Package objectives defines the losses of energy-based models and computes their gradients in the parameters.
//
// An objective is a value, a [Method]: NCE{Ratio: 2}, Denoising{Sigma: 0.1}. Its fields are its settings; zero fields
// get values that suit the data. It also declares what it needs and how to train with it. [New] compiles it for an
// energy:
//
//	nce, err := objectives.New(objectives.NCE{}, e, theta, objectives.Config{Data: points})
//
// The loss itself is a [Form] of two short pieces: a symbolic loss of a batch x and auxiliary inputs (noise,
// projections, negative samples), and a function that draws those inputs. One [Engine] serves all of them: it builds
// the loss over any energy, in any dimension and precision, differentiates it in θ, compiles both, and calls the
// compiled function once per gradient. After the first call a gradient does not allocate.
//
//	x ──▶ Draw ──▶ auxiliary inputs ─┐
//	│                                ▼
//	└──────────────────▶ compiled (loss, ∂loss/∂θ) ◀── live θ
//
// # Signs
//
// p(x) = exp(-E(x))/Z. The score is s(x) = ∇ log p(x) = -∇E(x). In the formulas below g = ∇E(x) and H = ∇²E(x); means
// are over the batch.
//
//	sm             ½|g|² - tr H
//	sm-hutchinson  ½|g|² - εᵀHε                              E εεᵀ = I
//	ssm            ½(vᵀg)² - vᵀHv                            E vvᵀ = I
//	ssm-vr         ½|g|² - vᵀHv                              E vvᵀ = I
//	fd-ssm         ½(Δ/2ε)² - Δ²/ε²                          Δ, Δ²: first and second difference of E along v
//	dsm            ½|-g(x+σε) + ε/σ|²
//	dsm-multi      mean over levels σ_k of δ √(σ_k² + δ²) dsm(σ_k)
//	nce            softplus(-u(x)) + Σ_{j≤k} softplus(u(y_j)), u = -E - c - log q - log k
//	flow-nce       the same, with a noise q that is learnt
//	cnce           2 softplus(E(x) - E(y)), y = x + σε
//	cd, pcd, ml    E(x) - E(x⁻), x⁻ from short, persistent, replayed chains
//	mpf            exp(½(E(x) - E(y)))
//	ed             log(1/M + 1/M Σ_j exp(E(x) - E(y_j)))
//	ksd            kernel Stein discrepancy
//	lsd            Stein discrepancy with a learnt critic
//
// The documentation of every objective states its assumptions and bias, and its [Traits] repeat them.
//
// # Your own objectives
//
// Any type with the methods of [Method] can be used like those of this package: its form may keep state ([Stateful]),
// have its own parameters ([Learner]) and derived inputs ([Deriver]), and report more than a loss ([Reporter]).
// [Register] gives it a name. A type that embeds another method must define Suited and Form itself: promoted ones
// return the embedded objective, which [New] rejects.
//
// # Score matching and the weights of modes
//
// The score carries no information about the weights of well-separated modes. An [energy.Bridge] is the energy of the
// data mixed with a known background, and the unchanged objective fits the mixture, whose modes are connected:
//
//	L = (1-ε) L_data(E_q) + ε mean ½|∇E_q(y) - ∇E_b(y)|²,   E_q = -log((1-ε) exp(-E) + ε b),   y from b.
//
// KL(data‖model) of sm after 1000 steps of 512 points (ebm train, seed 1): 4squares 0.73 nats without the bridge,
// 0.0008 with it; 8gaussians 7.0 without, 0.0014 with it.
//
// The loss is half the Fisher divergence of the mixture from E_q up to a constant, in two parts: the score of the
// background is known, so its part needs no trace. A further term fixes what no score determines, a factor of the mixed
// density: its integral is 1. Another learns what no score shows, odds that are small, as between modes: it tells data
// from background, but only where that prevails. The least certain result of training are the weights of the modes.
// Only the few points where the odds of data and background are even determine them, so averages over many steps, a
// larger ε and trace estimates of lower variance help. ksd and lsd, which are not means over single points, use draws
// from b in their own way.
//
// dsm-multi learns with a background at every level, see [energy.Annealable.Beside]: at the smallest, which is
// reported, modes are as far apart as in the data, and the levels at which they are connected do not help it. Its
// integral is fixed there, too.
//
// There are examples of [New] and [Compile].
package objectives
