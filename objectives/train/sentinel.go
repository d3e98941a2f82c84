package train

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// ErrNonFinite marks a loss, gradient or weight that is NaN or infinite.
var ErrNonFinite = errors.New("not a finite number")

// ErrDiverged is what the error of a run that was given up matches.
var ErrDiverged = errors.New("training diverged")

// Sentinel watches the numbers of every step. The zero value of a field means its default.
//
// It trips at once on a loss or gradient that is not finite, on a loss beyond MaxLoss and on energies beyond
// MaxEnergy, where float32 no longer resolves differences that matter; and after Patience suspicious steps in a row:
// a gradient GradFactor times its running geometric mean, chains that accept less than MinAccept or more than all but
// nothing, a gap mean E(x⁻) − mean E(x⁺) beyond MaxGap on either side.
//
// Where points are held back (Config.Held) it compares, record by record, their loss H with that of the training, T.
// A few points can be learnt by heart: the loss of score matching on them has no lower bound, while that of all
// others rises. It trips when in three records in a row
//
//	H > H₀ + HeldFactor·(H₀ − min H),   T < min H   and   T < 0,
//
// H₀ the first record: training gains on its own points only, and has undone on others all it had gained several
// times over. A loss that is a sum of positive terms cannot run away: what it learns by heart ends in a poor
// likelihood, which evaluation tells.
//
// None of that sees a run that goes nowhere: a rate ten times too large may keep every number finite, and the loss of
// score matching falls while energies far from the data sink. Where there is a Contrast, its J of the averaged
// weights is taken twenty times in a run. The state with the smallest J is the one to go back to, and the one that is
// delivered if the last is worse. The sentinel trips when J lies MaxRise above the smallest twice in a row, or a
// fifth of it five times, not counting the first quarter of the run, which allows for five times as much; the run
// then goes on from the average of the best state. A run that ends no better than it began fails. Steps so large that they
// throw the model about are told in the first half of the run, which then begins anew; see stirred.
type Sentinel struct {
	Off          bool    // watch for non-finite numbers only
	MaxRollbacks int     // 0 means 3; negative means none
	Backoff      float64 // the rate is multiplied by it at every rollback, in (0, 1); 0 means 0.25
	MaxLoss      float64 // 0 means 1e12
	MaxEnergy    float64 // 0 means 1e7
	MaxGap       float64 // 0 means 1e4
	MinAccept    float64 // 0 means 0.01
	GradFactor   float64 // 0 means 1e4
	Patience     int     // 0 means 50
	HeldFactor   float64 // 0 means 4
	MaxRise      float64 // of J above its smallest, in nats; 0 means 0.1
	MaxUnrest    float64 // of the sum U of how far steps throw the model about, in units of J; 0 means 0.65

	steps   uint64  // observed since the start or the last rollback
	logNorm float64 // running mean of log ‖g‖
	strikes [len(suspicions)]uint64

	records         uint64  // with a held-back loss
	heldFirst, held float64 // H₀, min H
	apart           uint64  // records in a row in which it ran away

	start, best []float64 // terms of J at the start, and of the smallest
	risen       uint64    // judgements in a row in which it had risen
	lagging     uint64    // and those in which it was not as small as before
	unrest      float64   // U
	restless    uint64    // judgements since it was zero
}

// heldPatience is the number of records in a row after which a held-back loss that runs away is believed.
const heldPatience = 3

// suspicions are the slow signs, each with what it looks like and what usually helps.
var suspicions = [...]struct{ seen, hint string }{
	gradient: {"the gradient norm is far above its usual size", "a smaller --lr, a tighter --clip, a longer warm-up"},
	dead:     {"the chains accept next to nothing", "a smaller --chain-step-size, a longer warm-up, a --gradient-penalty, which keeps the energy flat"},
	gap:      {"the energies of data and chains run apart", "more sampler steps per update, a smaller --lr, a small --alpha, the penalty on energies"},
}

const (
	gradient = iota
	dead
	gap
)

// Error is the end of a run that the sentinel gave up on.
type Error struct {
	Step      int    // where it was seen
	Since     int    // where it began
	Seen      string // what was seen
	Hint      string // what usually helps
	Rollbacks int    // how often the run was taken back before
	cause     error
	restart   bool // going back is to the start
}

// Error is one paragraph: what was seen, since when, and what usually helps.
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
		fmt.Fprintf(&b, "; going back to the last good checkpoint with a smaller rate %d times did not cure it", e.Rollbacks)
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
	var errs []error
	if !(s.Backoff >= 0 && s.Backoff < 1) {
		errs = append(errs, fmt.Errorf("train: Sentinel.Backoff = %g, want in (0, 1)", s.Backoff))
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"MaxLoss", s.MaxLoss}, {"HeldFactor", s.HeldFactor}, {"MaxRise", s.MaxRise}, {"MaxUnrest", s.MaxUnrest}, {"MaxEnergy", s.MaxEnergy}, {"MaxGap", s.MaxGap}, {"MinAccept", s.MinAccept}, {"GradFactor", s.GradFactor}, {"Patience", float64(s.Patience)}} {
		if !(f.v >= 0) {
			errs = append(errs, fmt.Errorf("train: Sentinel.%s = %g, want >= 0", f.name, f.v))
		}
	}
	return errors.Join(errs...)
}

// observe looks at the step that begins after `step` completed ones; nil means that it looks well.
func (s *Sentinel) observe(step int, st Stats, norm float64) *Error {
	const hint = "a smaller --lr, --precision float64, a --gradient-penalty, which keeps the energy flat; check the data for huge values"
	switch {
	case !finite(st.Loss):
		return &Error{Step: step, Since: step, Seen: fmt.Sprintf("the loss is %v", st.Loss), Hint: hint, cause: ErrNonFinite}
	case !finite(norm):
		return &Error{Step: step, Since: step, Seen: fmt.Sprintf("the gradient's norm is %v", norm), Hint: hint, cause: ErrNonFinite}
	}
	if s.Off {
		return nil
	}
	if !(math.Abs(st.Loss) <= or(s.MaxLoss, 1e12)) {
		return &Error{Step: step, Since: step, Seen: fmt.Sprintf("the loss runs away: it is %.3g", st.Loss), Hint: hint, cause: ErrDiverged}
	}
	if most := max(math.Abs(st.Positive), math.Abs(st.Negative)); !(most <= or(s.MaxEnergy, 1e7)) {
		return &Error{Step: step, Since: step, Seen: fmt.Sprintf("energies explode: their mean is %.3g", most), Hint: hint, cause: ErrDiverged}
	}
	log := math.Log(norm)
	var suspicious [len(suspicions)]bool
	suspicious[gap] = math.Abs(st.Negative-st.Positive) > or(s.MaxGap, 1e4)
	suspicious[dead] = st.AcceptProb < or(s.MinAccept, 0.01) && (st.AcceptProb > 0 || st.Divergent > 0)
	if s.steps >= 20 {
		suspicious[gradient] = log > s.logNorm+math.Log(or(s.GradFactor, 1e4))
	}
	if !suspicious[gradient] && norm > 0 { // a gradient of zero, as of lsd while its critic is zero, has no size
		s.steps++
		s.logNorm += (log - s.logNorm) / float64(min(s.steps, 200))
	}
	patience := uint64(s.Patience)
	if patience == 0 {
		patience = 50
	}
	for i, bad := range suspicious {
		if !bad {
			s.strikes[i] = 0
			continue
		}
		s.strikes[i]++
		if s.strikes[i] >= patience {
			return &Error{Step: step, Since: step + 1 - int(s.strikes[i]), Seen: suspicions[i].seen, Hint: suspicions[i].hint, cause: ErrDiverged}
		}
	}
	return nil
}

// weigh compares the loss of a record's training batches with that of points held back; nil means that it looks well.
// Steps every apart lie between records.
func (s *Sentinel) weigh(step, every int, train, held float64) *Error {
	if s.Off {
		return nil
	}
	s.records++
	if s.records == 1 {
		s.heldFirst, s.held = held, held
	}
	far := !(held <= s.heldFirst+or(s.HeldFactor, 4)*(s.heldFirst-s.held))
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
		Seen:  fmt.Sprintf("the loss runs away: it falls on the training points, to %.3g, and rises on points held back, to %.3g from %.3g at best: the points are learnt by heart", train, held, s.held),
		Hint:  "more points, a larger --smooth, a smaller --hidden, fewer --steps",
		cause: ErrDiverged,
	}
}

// calm reports whether nothing is suspected: only such a state is worth going back to.
func (s *Sentinel) calm() bool {
	return s.strikes == [len(suspicions)]uint64{} && s.apart == 0 && s.risen == 0
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// MarshalState returns what the sentinel remembers.
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
	e.floats(s.start)
	e.floats(s.best)
	e.uint64(s.risen)
	e.uint64(s.lagging)
	e.float64(s.unrest)
	e.uint64(s.restless)
	return e.b, nil
}

// UnmarshalState puts back what MarshalState returned.
func (s *Sentinel) UnmarshalState(b []byte) error {
	d := decoder{b: b}
	steps, logNorm := d.uint64(), d.float64()
	var strikes [len(suspicions)]uint64
	for i := range strikes {
		strikes[i] = d.uint64()
	}
	records, first, held, apart := d.uint64(), d.float64(), d.float64(), d.uint64()
	start, best, risen, lagging := d.floats(), d.floats(), d.uint64(), d.uint64()
	unrest, restless := d.float64(), d.uint64()
	if err := d.finish("sentinel"); err != nil {
		return err
	}
	s.steps, s.logNorm, s.strikes = steps, logNorm, strikes
	s.records, s.heldFirst, s.held, s.apart = records, first, held, apart
	s.start, s.best, s.risen, s.lagging = start, best, risen, lagging
	s.unrest, s.restless = unrest, restless
	return nil
}
