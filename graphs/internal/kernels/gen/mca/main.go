// Command mca simulates the kernels for arm64 on cores that are not at hand. It builds the tests of package kernels,
// takes the inner loops, and the instructions of a Langevin step as an emulator executes them, and lets llvm-mca count
// cycles:
//
//	go run ./mca            # in gen; needs llvm 22 (earlier models of Neoverse are wrong) and qemu-user-static
//
// llvm-mca knows ports, latencies and the width of the front end. It assumes that loads hit the first cache and
// branches are predicted: the figures are bounds on what a core can do, no measurements.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var (
	llvm = flag.String("llvm", "-22", "suffix of the llvm tools")
	cpus = flag.String("cpus", "neoverse-n1,neoverse-n2,neoverse-v1,neoverse-v2",
		"cores; name:8 sets the width of dispatch")
	qemu = flag.String("qemu", "qemu-aarch64-static", "emulator")
	only = flag.String("match", "^(product6x2|silu2|tanh1|gelu1|exp|log|sinF|rowDot8x1|sumF|normal)",
		"regular expression of the kernels in the table")
)

func main() {
	flag.Parse()
	dir, err := os.MkdirTemp("", "mca")
	check(err)
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kernels.test")
	build := exec.Command("go", "-C", "..", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "GOFLAGS=")
	build.Stderr = os.Stderr
	check(build.Run())
	code := disassemble(binary)
	list := strings.Split(*cpus, ",")
	peaks := map[string]float64{}
	for _, c := range list {
		peaks[c] = 1 / peak(c)
	}
	loops(code, list, peaks)
	step(binary, dir, code, list, peaks)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "mca:", err)
		os.Exit(1)
	}
}

// instruction is a line of the disassembly.
type instruction struct {
	address, target uint64 // target of a branch
	text            string
}

// program are the kernels of a binary by name, and all instructions by address.
type program struct {
	names  []string
	code   map[string][]instruction
	at     map[uint64]instruction
	lo, hi uint64
}

var (
	head   = regexp.MustCompile(`^[0-9a-f]+ <.*kernels\.(\w+)\.abi0>:`)
	line   = regexp.MustCompile(`^\s*([0-9a-f]+):\s+(.*)`)
	branch = regexp.MustCompile(`^(b|b\.\w+|cbn?z|tbn?z)\s.*0x([0-9a-f]+)( <.*>)?$`)
	symbol = regexp.MustCompile(`( 0x[0-9a-f]+)? <.*>$`)
)

func disassemble(binary string) *program {
	out, err := exec.Command("llvm-objdump"+*llvm, "-d", "--no-show-raw-insn", "--mattr=+v8.2a", binary).Output()
	check(err)
	p := &program{code: map[string][]instruction{}, at: map[uint64]instruction{}}
	name := ""
	for _, l := range strings.Split(string(out), "\n") {
		if m := head.FindStringSubmatch(l); m != nil {
			name = m[1]
			p.names = append(p.names, name)
			continue
		}
		if strings.HasSuffix(l, ">:") {
			name = ""
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil || name == "" {
			continue
		}
		i := instruction{}
		i.address, _ = strconv.ParseUint(m[1], 16, 64)
		i.text, _, _ = strings.Cut(strings.ReplaceAll(m[2], "\t", " "), "//")
		i.text = strings.TrimSpace(i.text)
		if b := branch.FindStringSubmatch(i.text); b != nil {
			i.target, _ = strconv.ParseUint(b[2], 16, 64)
			i.text = symbol.ReplaceAllString(i.text, " L")
		}
		if strings.HasPrefix(i.text, "adrp ") {
			i.text = symbol.ReplaceAllString(i.text, " L")
		}
		p.code[name] = append(p.code[name], i)
		p.at[i.address] = i
		if p.lo == 0 || i.address < p.lo {
			p.lo = i.address
		}
		p.hi = max(p.hi, i.address)
	}
	return p
}

// cycles of one of n turns of code.
func cycles(cpu string, code []instruction, n int) float64 {
	var b strings.Builder
	b.WriteString("L:\n")
	for _, i := range code {
		b.WriteString(i.text + "\n")
	}
	args := []string{"-mtriple=aarch64", "-mattr=+v8.2a", "-iterations=" + strconv.Itoa(n), "-instruction-info=false",
		"-resource-pressure=false"}
	if name, width, ok := strings.Cut(cpu, ":"); ok {
		cpu = name
		args = append(args, "-dispatch="+width)
	}
	c := exec.Command("llvm-mca"+*llvm, append(args, "-mcpu="+cpu)...)
	c.Stdin = strings.NewReader(b.String())
	out, err := c.CombinedOutput()
	m := regexp.MustCompile(`Total Cycles:\s+(\d+)`).FindStringSubmatch(string(out))
	if err != nil || m == nil {
		check(fmt.Errorf("%s: %v: %.300s", cpu, err, out))
	}
	v, _ := strconv.ParseFloat(m[1], 64)
	return v / float64(n)
}

// peak is the greatest number of vector multiply-adds in a cycle.
func peak(cpu string) float64 {
	var code []instruction
	for i := range 24 {
		code = append(code, instruction{text: fmt.Sprintf("fmla v%d.4s, v30.4s, v31.s[0]", i)})
	}
	return 24 / cycles(cpu, code, 400)
}

// innermost are the loops of a function without loops inside.
func innermost(f []instruction) (out [][]instruction) {
	last := -1
	for i, x := range f {
		if x.target == 0 || x.target > x.address || x.target < f[0].address {
			continue
		}
		k := i
		for f[k].address > x.target {
			k--
		}
		if k > last {
			out = append(out, f[k:i+1])
			last = i
		}
	}
	return out
}

func count(code []instruction, prefix ...string) (n int) {
	for _, i := range code {
		for _, p := range prefix {
			if strings.HasPrefix(i.text, p) {
				n++
			}
		}
	}
	return n
}

var (
	tileName   = regexp.MustCompile(`^product(\d+)x(\d+)`)
	activation = regexp.MustCompile(`^(sigmoid|softplus|tanh|silu|gelu|exp|log|sin|sinCos|normal|adam|sum|dot|max|colSum|mulAdd|add|rowDot)`)
)

// loops prints the table of inner loops: of products the share of the bound by multipliers, of other kernels cycles
// per element.
func loops(p *program, list []string, peaks map[string]float64) {
	re := regexp.MustCompile(*only)
	fmt.Printf("| kernel | loop | instructions | %s |\n|---|---|---|%s\n", strings.Join(list, " | "),
		strings.Repeat("---|", len(list)))
	for _, n := range p.names {
		if !re.MatchString(n) {
			continue
		}
		inner := innermost(p.code[n])
		if m := tileName.FindStringSubmatch(n); m != nil {
			rows, _ := strconv.Atoi(m[1])
			vectors, _ := strconv.Atoi(m[2])
			kind := []string{"rows of A", "columns of A"}
			for _, l := range inner {
				if fma := count(l, "fmla"); fma == 4*2*rows*vectors && len(kind) > 0 {
					fmt.Printf("| %s | %s | %d, %d FMLA |", n, kind[0], len(l), fma)
					kind = kind[1:]
					for _, c := range list {
						fmt.Printf(" %.0f %% |", 100*peaks[c]*float64(fma)/cycles(c, l, 200))
					}
					fmt.Println()
				}
			}
			continue
		}
		if !activation.MatchString(n) || len(inner) == 0 {
			continue
		}
		l := inner[0]
		for _, x := range inner {
			if count(x, "f") > count(l, "f") && !strings.HasPrefix(n, "s") {
				l = x
			}
		}
		bytes := 16 * (count(l, "ldr q") + count(l, "ldur q") + 2*count(l, "ldp q"))
		fmt.Printf("| %s | main | %d, %d bytes read |", n, len(l), bytes)
		for _, c := range list {
			fmt.Printf(" %.1f |", cycles(c, l, 200))
		}
		fmt.Println()
	}
}

// step prints the cycles of the kernels of one Langevin step of 256 chains, width 128, float32, as traced.
func step(binary, dir string, p *program, list []string, peaks map[string]float64) {
	fmt.Printf("\n| part of a Langevin step at (256, 128) | times | instructions traced | multiply-adds | %s "+
		"|\n|---|---|---|---|%s\n", strings.Join(list, " | "), strings.Repeat("---|", len(list)))
	total, bound := map[string]float64{}, 0.0
	out, err := exec.Command(*qemu, binary, "-test.run", "TestTrace", "-test.v").CombinedOutput()
	check(err)
	for _, m := range regexp.MustCompile(`part=(\S+) times=([0-9.]+) mac=(\d+)`).FindAllStringSubmatch(string(out), -1) {
		times, _ := strconv.ParseFloat(m[2], 64)
		mac, _ := strconv.ParseFloat(m[3], 64)
		code := trace(binary, dir, m[1], p)
		fmt.Printf("| %s | %g | %d | %g |", m[1], times, len(code), mac)
		bound += times * mac / 4
		for _, c := range list {
			v := times * cycles(c, code, 1)
			total[c] += v
			fmt.Printf(" %.0f |", v)
		}
		fmt.Println()
	}
	fmt.Printf("| all | | | bound of the products |")
	for _, c := range list {
		fmt.Printf(" %.0f |", total[c])
	}
	fmt.Printf("\n| all / bound | | | |")
	for _, c := range list {
		fmt.Printf(" %.2f |", total[c]/(bound*peaks[c]))
	}
	fmt.Println()
}

var executed = regexp.MustCompile(`\[[0-9a-f]+/([0-9a-f]+)/`)

// trace are the instructions of the kernels that one part of TestTrace executes.
func trace(binary, dir, part string, p *program) (code []instruction) {
	log := filepath.Join(dir, "trace")
	c := exec.Command(*qemu, "-singlestep", "-d", "nochain,exec", "-D", log, "-dfilter",
		fmt.Sprintf("%#x..%#x", p.lo, p.hi), binary, "-test.run", "TestTrace/"+part+"$")
	c.Env = append(os.Environ(), "STHENO_TRACE="+part)
	out, err := c.CombinedOutput()
	if err != nil {
		check(fmt.Errorf("%v: %.300s", err, out))
	}
	b, err := os.ReadFile(log)
	check(err)
	mark := map[uint64]bool{} // the loop that runs before and after
	for _, i := range p.code["peakF32NEON"] {
		mark[i.address] = true
	}
	inside, was := false, false
	for _, m := range executed.FindAllStringSubmatch(string(b), -1) {
		a, _ := strconv.ParseUint(m[1], 16, 64)
		if was && !mark[a] {
			inside = !inside
		}
		was = mark[a]
		if i, ok := p.at[a]; ok && inside && !was && i.text != "ret" {
			code = append(code, i)
		}
	}
	return code
}
