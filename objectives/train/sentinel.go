package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
)

// ErrNonFinite marks a loss, gradient or weight that is NaN or infinite.
var ErrNonFinite = errors.New("not a finite number")

// ErrDiverged is matched by the error of a run that was given up.
var ErrDiverged = errors.New("training diverged")

// Sentinel monitors every step. The zero value of a field means its default.
//
// It trips at once on a loss or gradient that is not finite, on a loss beyond MaxLoss and on energies beyond MaxEnergy,
// where float32 no longer resolves differences that matter; and after Patience suspicious steps in a row: a gradient
// GradFactor times its running geometric mean, chains that accept less than MinAccept or practically everything, a gap
// mean E(x⁻) − mean E(x⁺) beyond MaxGap on either side.
//
// With held-out points (Config.Held) it compares, record by record, their loss H with the training loss T. A few points
// can be memorised: the loss of score matching on them has no lower bound, while that of all others rises. It trips
// when in three records in a row
//
//	H > H₀ + HeldFactor·(H₀ − min H),   T < min H   and   T < 0,
//
// with H₀ from the first record: training gains on its own points only, and has lost on others several times what it
// had gained. A loss that is a sum of positive terms cannot diverge: memorising then leads to a poor likelihood, which
// evaluation shows.
//
// None of that detects a run that makes no progress: a learning rate ten times too large may keep every number
// finite, and the loss of score matching falls while energies far from the data sink. With a Contrast, J of the
// averaged weights and their leakage L are evaluated twenty times in a run. The state with the smallest J + L is the
// one to go back to, and the one delivered if the last is worse. The sentinel trips when J + L is MaxRise above the
// smallest twice in a row, or a fifth of that five times; the first quarter of the run may exceed this fivefold. The
// run then continues from the average of the best state. A run whose J ends no better than it began fails, as does
// one that has gained less than a tenth of what a kernel density of the points gains. In the first half of a run it
// restarts if steps are so large that they throw the model about, or if it has learnt next to nothing and no longer
// moves, and at three quarters if large steps have held it back until the rate fell; see stirred, still and late.
type Sentinel struct {
	Off          bool    // only check for non-finite numbers
	MaxRollbacks int     // 0 means 3; negative means none
	Backoff      float64 // factor on the learning rate at every rollback, in (0, 1); 0 means 0.25
	MaxLoss      float64 // 0 means 1e12
	MaxEnergy    float64 // 0 means 1e7
	MaxGap       float64 // 0 means 1e4
	MinAccept    float64 // 0 means 0.01
	GradFactor   float64 // 0 means 1e4
	Patience     int     // 0 means 50
	HeldFactor   float64 // 0 means 4
	MaxRise      float64 // maximum rise of J + L above its smallest value, in nats; 0 means 0.1
	MaxUnrest    float64 // maximum of U, how far steps throw the model about, in nats; 0 means 0.65

	steps   uint64  // observed since the start or the last rollback
	logNorm float64 // running mean of log ‖g‖
	strikes [len(suspicions)]uint64

	records         uint64  // with a held-back loss
	heldFirst, held float64 // H₀, min H
	apart           uint64  // consecutive records in which it diverged

	start, best score     // at the start, and of the smallest J + L
	risen       uint64    // consecutive judgements in which J had risen
	lagging     uint64    // and those in which it was not as small as before
	unrest      float64   // U
	thrown      float64   // the same without slack
	stuck       uint64    // consecutive judgements in which a model that has learnt next to nothing did not move
	half        score     // at half-time, if steps were large until then
	known       []float64 // terms of J of a kernel density of the points; nil if unknown
	restless    uint64    // judgements since U was zero
}

// heldPatience is the number of consecutive records after which a diverging held-out loss is accepted as real.
const heldPatience = 3

// suspicions are the gradual signs, each with its description and what usually helps.
var suspicions = [...]struct{ seen, hint string }{
	gradient: {"the gradient norm is far above its usual size", "a smaller --lr, a tighter --clip, a longer warm-up"},
	dead: {"the chains accept next to nothing",
		"a smaller --chain-step-size, a longer warm-up, a --gradient-penalty, which keeps the energy flat"},
	gap: {"the energies of data and chains run apart",
		"more sampler steps per update, a smaller --lr, a small --alpha, the penalty on energies"},
}

const (
	gradient = iota
	dead
	gap
)

// Error reports a run that the sentinel gave up on.
type Error struct {
	Step      int    // step at which it was detected
	Since     int    // step at which it began
	Seen      string // what was detected
	Hint      string // what usually helps
	Rollbacks int    // number of previous rollbacks
	cause     error
	restart   bool // roll back to the start
}

// Error returns one paragraph: what was seen, since when, and what usually helps.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "training diverged at step %d: %s", e.Step, e.Seen)
	if e.Since < e.Step {
		fmt.Fprintf(&b, ", since step %d", e.Since)
	}
	switch {
	case e.Rollbacks == 1:
		fmt.Fprint(&b, "; going back to the last good checkpoint with a smaller rate once did not cure it")
	case e.Rollbacks > 1:
		fmt.Fprintf(&b, "; going back to the last good checkpoint with a smaller rate %d times did not cure it",
			e.Rollbacks)
	}
	fmt.Fprintf(&b, ". What usually helps: %s.", e.Hint)
	return b.String()
}

// Unwrap lets errors.Is find ErrDiverged and the cause.
func (e *Error) Unwrap() []error { return []error{ErrDiverged, e.cause} }

func (s *Sentinel) maxRollbacks() int {
	switch {
	case s.MaxRollbacks < 0:
		return 0
	case s.MaxRollbacks == 0:
		return 3
	}
	return s.MaxRollbacks
}

// Validate names every setting that is out of range.
func (s *Sentinel) Validate() error {
	errs := []error{check(s.Backoff >= 0 && s.Backoff < 1, "Sentinel.Backoff = %g, want in (0, 1)", s.Backoff)}
	for _, f := range []struct {
		name string
		v    float64
	}{{"MaxLoss", s.MaxLoss}, {"HeldFactor", s.HeldFactor}, {"MaxRise", s.MaxRise}, {"MaxUnrest", s.MaxUnrest},
		{"MaxEnergy", s.MaxEnergy}, {"MaxGap", s.MaxGap}, {"MinAccept", s.MinAccept}, {"GradFactor", s.GradFactor},
		{"Patience", float64(s.Patience)}} {
		errs = append(errs, check(f.v >= 0, "Sentinel.%s = %g, want >= 0", f.name, f.v))
	}
	return errors.Join(errs...)
}

// observe checks the step that begins after `step` completed ones; nil means that all is well.
func (s *Sentinel) observe(step int, st Stats, norm float64) *Error {
	const hint = "a smaller --lr, --precision float64, a --gradient-penalty, which keeps the energy flat; check " +
		"the data for huge values"
	atOnce := func(cause error, seen string, v float64) *Error {
		return &Error{Step: step, Since: step, Seen: fmt.Sprintf(seen, v), Hint: hint, cause: cause}
	}
	most := max(math.Abs(st.Positive), math.Abs(st.Negative))
	switch {
	case !finite(st.Loss):
		return atOnce(ErrNonFinite, "the loss is %v", st.Loss)
	case !finite(norm):
		return atOnce(ErrNonFinite, "the gradient's norm is %v", norm)
	case s.Off:
		return nil
	case !(math.Abs(st.Loss) <= cmp.Or(s.MaxLoss, 1e12)):
		return atOnce(ErrDiverged, "the loss runs away: it is %.3g", st.Loss)
	case !(most <= cmp.Or(s.MaxEnergy, 1e7)):
		return atOnce(ErrDiverged, "energies explode: their mean is %.3g", most)
	}
	log := math.Log(norm)
	var suspicious [len(suspicions)]bool
	suspicious[gap] = math.Abs(st.Negative-st.Positive) > cmp.Or(s.MaxGap, 1e4)
	suspicious[dead] = st.AcceptProb < cmp.Or(s.MinAccept, 0.01) && (st.AcceptProb > 0 || st.Divergent > 0)
	if s.steps >= 20 {
		suspicious[gradient] = log > s.logNorm+math.Log(cmp.Or(s.GradFactor, 1e4))
	}
	if !suspicious[gradient] && norm > 0 { // a zero gradient, as of lsd while its critic is zero, is not counted
		s.steps++
		s.logNorm += (log - s.logNorm) / float64(min(s.steps, 200))
	}
	patience := cmp.Or(uint64(s.Patience), 50)
	for i, bad := range suspicious {
		if !bad {
			s.strikes[i] = 0
			continue
		}
		s.strikes[i]++
		if s.strikes[i] >= patience {
			return &Error{Step: step, Since: step + 1 - int(s.strikes[i]), Seen: suspicions[i].seen,
				Hint: suspicions[i].hint, cause: ErrDiverged}
		}
	}
	return nil
}

// weigh compares the loss of a record's training batches with that of held-out points, every `every` steps; nil means
// that all is well.
func (s *Sentinel) weigh(step, every int, train, held float64) *Error {
	if s.Off {
		return nil
	}
	s.records++
	if s.records == 1 {
		s.heldFirst, s.held = held, held
	}
	far := !(held <= s.heldFirst+cmp.Or(s.HeldFactor, 4)*(s.heldFirst-s.held))
	if far = far && train < min(s.held, 0) && s.records > 1; !far {
		s.apart = 0
		s.held = min(s.held, held)
		return nil
	}
	s.apart++
	if s.apart < heldPatience {
		return nil
	}
	return &Error{
		Step: step, Since: step - (heldPatience-1)*every,
		Seen: fmt.Sprintf(
			"the loss runs away: it falls on the training points, to %.3g, and rises on points held back, to %.3g from "+
				"%.3g at best: the points are being memorised", train, held, s.held),
		Hint:  "more points, a larger --smooth, a smaller --hidden, fewer --steps",
		cause: ErrDiverged,
	}
}

// calm reports whether nothing is suspicious: only such a state is worth going back to.
func (s *Sentinel) calm() bool {
	return s.strikes == [len(suspicions)]uint64{} && s.apart == 0 && s.risen == 0
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// MarshalState returns the state of the sentinel.
func (s *Sentinel) MarshalState() ([]byte, error) {
	var e encoder
	e.uint64(s.steps)
	e.float64(s.logNorm)
	for _, n := range s.strikes {
		e.uint64(n)
	}
	e.uint64(s.records)
	e.float64(s.heldFirst)
	e.float64(s.held)
	e.uint64(s.apart)
	e.floats(s.start.plain)
	e.floats(s.best.plain)
	e.uint64(s.risen)
	e.uint64(s.lagging)
	e.float64(s.unrest)
	e.uint64(s.restless)
	e.float64(s.thrown)
	e.uint64(s.stuck)
	e.floats(s.half.plain)
	for _, v := range []score{s.start, s.best, s.half} {
		e.floats(v.leaky)
	}
	return e.b, nil
}

// UnmarshalState restores what MarshalState returned.
func (s *Sentinel) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	steps, logNorm := d.uint64(), d.float64()
	var strikes [len(suspicions)]uint64
	for i := range strikes {
		strikes[i] = d.uint64()
	}
	records, first, held, apart := d.uint64(), d.float64(), d.float64(), d.uint64()
	start, best, risen, lagging := d.floats(), d.floats(), d.uint64(), d.uint64()
	unrest, restless, thrown, stuck, half := d.float64(), d.uint64(), d.float64(), d.uint64(), d.floats()
	scores := [...]score{{plain: start}, {plain: best}, {plain: half}}
	for i := range scores {
		scores[i].leaky = d.floats()
	}
	if err := d.finish("sentinel"); err != nil {
		return err
	}
	s.steps, s.logNorm, s.strikes = steps, logNorm, strikes
	s.records, s.heldFirst, s.held, s.apart = records, first, held, apart
	s.start, s.best, s.half, s.risen, s.lagging = scores[0], scores[1], scores[2], risen, lagging
	s.unrest, s.restless, s.thrown, s.stuck = unrest, restless, thrown, stuck
	return nil
}
