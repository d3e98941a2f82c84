// Package objectives says what is minimised, and computes its gradient in the parameters of an energy.
//
// An objective is a value, a [Method]: NCE{Ratio: 2}, Denoising{Sigma: 0.1}. Its fields are its settings, zero fields
// are set to what suits the data, and it says itself what it needs and how to train with it. [New] compiles it for an
// energy:
//
//	nce, err := objectives.New(objectives.NCE{}, e, theta, objectives.Config{Data: points})
//
// What it minimises is two short pieces, a [Form]: a symbolic loss of a batch x and of auxiliary inputs (noise,
// projections, negative samples), and a draw of those inputs. One [Engine] serves them all: it builds the loss over
// any energy, in any dimension and precision, differentiates it in θ, compiles both, and calls the compiled function
// once per gradient. After the first call a gradient allocates nothing.
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
//	flow-nce       the same, with a noise q that learns
//	cnce           2 softplus(E(x) - E(y)), y = x + σε
//	cd, pcd, ml    E(x) - E(x⁻), x⁻ from short, persistent, replayed chains
//	mpf            exp(½(E(x) - E(y)))
//	ed             log(1/M + 1/M Σ_j exp(E(x) - E(y_j)))
//	ksd            kernel Stein discrepancy
//	lsd            Stein discrepancy with a learnt critic
//
// Every objective says where it is defined what it assumes and what bias it has, and its [Traits] repeat it.
//
// # Objectives of one's own
//
// A type with the methods of [Method] is as good as those of this package: its form may keep a state ([Stateful]),
// have parameters of its own ([Learner]) and derived inputs ([Deriver]), and tell more than a loss ([Reporter]).
// [Register] gives it a name. A type that embeds another method defines Suited and Form itself: promoted ones return
// the embedded objective, which [New] refuses.
//
// # Score matching and the weights of modes
//
// The score says nothing of the weights of modes that do not touch. An [energy.Bridge] says what the energy of the
// data is if a known background is mixed into them, and the objective, unchanged, fits the mixture, whose modes
// touch:
//
//	L = (1-ε) L_data(E_q) + ε mean ½|∇E_q(y) - ∇E_b(y)|²,   E_q = -log((1-ε) exp(-E) + ε b),   y from b.
//
// For KL(data‖model) of sm after 1000 steps of 512 points (ebm train, seed 1): 4squares 0.73 nats without, 0.003 with
// the bridge; 8gaussians 7.0 without, 0.003 with it, and 0.033 where the background is one broad Gaussian alone.
//
// The loss is half the Fisher divergence of the mixture from E_q but for a constant, in two parts: the score of the
// background is known, so that its part needs no trace. What no score tells, a factor of the mixed density, a further
// term holds: its integral is 1. What is least certain after training are the weights of the modes. They show where
// the odds of data and background are even alone, by few points, so that averages over many steps, a larger ε and
// estimates of the trace that scatter less help them. ksd and lsd, which are no means over single points, take draws
// of b into their own.
//
// dsm-multi learns beside a background at every level, see [energy.Annealable.Beside]: at the smallest, which is
// reported, modes are as far apart as in the data, and the levels at which they touch do not help it. Its integral is
// held there, too.
package objectives
