// Command ebm trains, samples, evaluates and draws energy-based models.
//
//	ebm train                        an MLP energy on four squares: trained, measured, drawn
//	ebm train --dataset points.csv   the same on your own points
//	ebm sample RUN --out s.csv       draws from a trained model
//	ebm eval RUN                     how good is the fit
//
// Results go to stdout, progress and log lines to stderr. The exit code is 0 on success, 1 if the work failed, 2 if the
// command line or a file is invalid, 130 if interrupted (after a checkpoint).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/stheno-ebm/stheno/cmd/ebm/internal/exit"
	"github.com/stheno-ebm/stheno/viz/live"
)

func main() {
	// Nothing allocates while a model trains or draws, so that collecting twice as often costs no time that can be
	// measured, and keeps a default run within 100 instead of 120 MB.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	os.Exit(program(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// env is a command's access to the outside world.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	holds  *holds
}

// output is stdout, with the first write error: a result that did not arrive is not a success.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// file returns the file behind w, if there is one.
func file(w io.Writer) (*os.File, bool) {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	return f, ok
}

// terminal reports whether w is a terminal.
func terminal(w io.Writer) bool {
	f, ok := file(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns the number of columns of the terminal behind w, 80 if there is none.
func terminalWidth(w io.Writer) int {
	if f, ok := file(w); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// logf writes a line for the user to stderr.
func (e *env) logf(format string, args ...any) { fmt.Fprintf(e.stderr, format+"\n", args...) }

// program runs the whole program and returns the exit code.
func program(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal()
	defer stop()
	held := new(holds)
	return held.wait(ctx, stderr, func() int { return programHeld(ctx, held, args, stdin, stdout, stderr) })
}

// exited carries the code of kong's own exits (--help) out of its parser.
type exited int

func programHeld(ctx context.Context, held *holds, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	e := &env{ctx, stdin, out, stderr, held}
	err := dispatch(e, args)
	if errors.Is(out.err, syscall.EPIPE) { // the reader has enough: ebm data moons | head
		return exit.Pipe
	}
	if out.err != nil {
		err = fmt.Errorf("the result cannot be written: %w", out.err)
	}
	if err == nil {
		return exit.OK
	}
	line := exit.Line(err)
	if errors.Is(err, context.Canceled) {
		line = "interrupted"
	}
	e.logf("ebm: %s", line)
	return exit.Code(err)
}

// dispatch parses the arguments and runs the command.
func dispatch(e *env, args []string) error {
	defer func() {
		if r := recover(); r != nil && r != exited(exit.OK) {
			panic(r)
		}
	}()
	if len(args) == 0 {
		_, err := fmt.Fprint(e.stdout, firstSteps)
		return err
	}
	var c cli
	parser, err := newParser(&c, e)
	if err != nil {
		return err
	}
	ctx, err := parser.Parse(liveArgs(asked(atHome(args))))
	if err != nil {
		var pe *kong.ParseError
		if errors.As(err, &pe) {
			return usage(pe, args)
		}
		return err
	}
	if err := emptyFlag(ctx); err != nil {
		return err
	}
	ctx.Bind(ctx, e)
	if s, ok := ctx.Selected().Target.Addr().Interface().(saver); ok {
		s.saves()
		defer e.hold()()
	}
	return ctx.Run()
}

// emptyFlag rejects a flag without its value: `ebm train --resume` must not start a new training, nor `ebm plot RUN
// --kind ""` draw nothing.
func emptyFlag(ctx *kong.Context) error {
	for _, p := range ctx.Path {
		if p.Flag == nil {
			continue
		}
		if v := p.Flag.Target; (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0 {
			return exit.Usagef("--%s: the value is missing, want %s (see: ebm %s --help)", p.Flag.Name,
				p.Flag.FormatPlaceHolder(), ctx.Selected().Name)
		}
	}
	return nil
}

// plainer maps texts of the parser to plainer ones.
var plainer = []struct {
	text *regexp.Regexp
	says string
}{
	{regexp.MustCompile(`expected .* but got "EOL" \(<nil>\)`), "the value is missing"},
	{regexp.MustCompile(`missing value, expecting ".*"`), "the value is missing"},
	{regexp.MustCompile(`expected a valid \d+ bit uint but got (".*")`),
		"value $1, want a whole number of at least 0 and below 2^64"},
	{regexp.MustCompile(`expected a valid \d+ bit int but got (".*")`), "value $1, want a whole number"},
	{regexp.MustCompile(`expected a (?:valid )?float but got (".*?")(?: \(.*\))?`), "value $1, want a number"},
	{regexp.MustCompile(`^expected "(.*)"$`), "$1 is missing"},
}

// choice matches the parser's error for a value not in an enumeration.
var choice = regexp.MustCompile(`^(\S+) must be one of "(.*)" but got "(.*)"$`)

// usage says what is wrong with the command line, and which help to read.
func usage(pe *kong.ParseError, args []string) error {
	text, help := pe.Error(), "ebm --help"
	if i := slices.Index(args, "--live"); i >= 0 && i+1 < len(args) && text == "unexpected argument "+args[i+1] {
		return exit.Usagef("--live %s: an address needs a colon, such as %s or :0", args[i+1], live.DefaultAddr)
	}
	if strings.HasPrefix(text, "unknown flag -v,") {
		return exit.Usagef("unknown flag -v, did you mean \"--version\"? (see: %s)", help)
	}
	if m := choice.FindStringSubmatch(text); m != nil {
		return exit.Unknown(m[1], m[3], strings.Split(m[2], `","`))
	}
	for _, p := range plainer {
		text = p.text.ReplaceAllString(text, p.says)
	}
	if n := pe.Context.Selected(); n != nil {
		help = "ebm " + n.Name + " --help"
	}
	if hint := meant(text, pe.Context.Selected()); hint != "" {
		return exit.Usagef("%s; %s (see: %s)", text, hint, help)
	}
	return exit.Usagef("%s (see: %s)", text, help)
}

// asked rewrites common ways to ask for help and version to what the grammar knows: ebm help, ebm help train, ebm
// --version.
func asked(args []string) []string {
	switch {
	case args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

const firstSteps = `ebm trains energy-based models and shows what they learnt.

  ebm train                  a first model, in about a minute: four squares
  ebm train --dataset NAME   another distribution (ebm data lists them)
  ebm train --dataset X.csv  your own points, one per line

It prints the run directory it made. Then, with that directory:

  ebm eval RUN               how far the model is from the truth
  ebm sample RUN --out x.csv draws from the model
  ebm plot RUN               a picture

ebm --help lists all commands; ebm COMMAND --help says everything about one.
`
