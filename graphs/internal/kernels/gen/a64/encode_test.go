package a64

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// all is every instruction with registers that set every bit of every field.
func all() (out []Enc) {
	regs := [][3]int{{0, 0, 0}, {31, 31, 31}, {1, 2, 4}, {8, 16, 1}, {16, 1, 8}, {2, 4, 16}, {4, 8, 2}, {21, 10, 21}}
	add := func(e ...Enc) { out = append(out, e...) }
	for _, r := range regs {
		d, n, m := r[0], r[1], r[2]
		x := n % 31 // 31 is the stack pointer
		add(Clear(d), Not(d, n), Ldr(d, x, 0), Ldr(d, x, 16*m), Ldr(d, x, 240), Ldr(d, x, 65520), Str(d, x, 65520), Ldp(d, d^1, x, -1024),
			Ldp(d, d^1, x, 16*m), Stp(d, d^1, x, 1008))
		for by := range 16 {
			add(Ext(d, n, m, by))
		}
		for _, mn := range []string{"fcvtn", "fcvtn2", "fcvtl", "fcvtl2"} {
			add(Cvt(mn, d, n))
		}
		for mn := range bit3 {
			add(Bit3(mn, d, n, m))
		}
		for _, f64 := range []bool{false, true} {
			a := Arr{f64}
			lanes, bits := 4, 32
			if f64 {
				lanes, bits = 2, 64
			}
			for mn := range fp3 {
				add(FP3(mn, a, d, n, m))
			}
			for mn := range int3 {
				add(Int3(mn, a, d, n, m))
			}
			for mn := range fp2 {
				add(FP2(mn, a, d, n))
			}
			for mn := range zero2 {
				add(Zero2(mn, a, d, n))
			}
			for i := range lanes {
				for mn := range elem {
					add(Elem(mn, a, d, n, m, i))
				}
				add(Dup(a, d, n, i))
			}
			for by := 1; by < bits; by++ {
				add(Shift("shl", a, d, n, by), Shift("ushr", a, d, n, by), Shift("sshr", a, d, n, by))
			}
			add(Across("faddp", a, d, n), Across("fmaxnmp", a, d, n), Ld1(a, d, x, m%31), Ld1r(a, d, x),
				Ldrx(d, x, m%31), LdrPart(8, d, x, 8*m), LdrPart(4, d, x, 4*n))
		}
		for _, mn := range []string{"fmaxv", "fmaxnmv", "umaxv", "uminv"} {
			add(Across(mn, Arr{}, d, n))
		}
	}
	return
}

func assembled(t *testing.T, texts []string, asm ...string) []uint32 {
	dir := t.TempDir()
	src, obj, bin := filepath.Join(dir, "a.s"), filepath.Join(dir, "a.o"), filepath.Join(dir, "a.bin")
	os.WriteFile(src, []byte(strings.Join(texts, "\n")+"\n"), 0o666)
	if _, err := exec.LookPath(asm[0]); err != nil {
		t.Skip(err)
	}
	for _, c := range [][]string{append(asm, "-o", obj, src),
		{"aarch64-linux-gnu-objcopy", "-O", "binary", "-j", ".text", obj, bin}} {
		if b, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%.2000s", c, err, b)
		}
	}
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	w := make([]uint32, len(b)/4)
	binary.Read(bytes.NewReader(b), binary.LittleEndian, w)
	return w
}

func compare(t *testing.T, encs []Enc) {
	texts := make([]string, len(encs))
	for i, e := range encs {
		texts[i] = e.Text
	}
	for _, asm := range [][]string{{"aarch64-linux-gnu-as"}, {llvm("llvm-mc"), "-triple=aarch64", "-filetype=obj"}} {
		t.Run(asm[0], func(t *testing.T) {
			w := assembled(t, texts, asm...)
			if len(w) != len(encs) {
				t.Fatalf("%d words for %d instructions", len(w), len(encs))
			}
			bad := 0
			for i, e := range encs {
				if w[i] != e.Word {
					bad++
					if bad < 20 {
						t.Errorf("%s: %08x, want %08x", e.Text, e.Word, w[i])
					}
				}
			}
			t.Logf("%d instructions compared, %d differ", len(w), bad)
		})
	}
}

func llvm(name string) string {
	for _, v := range []string{"-22", "-19", ""} {
		if _, err := exec.LookPath(name + v); err == nil {
			return name + v
		}
	}
	return name
}

// TestEncodings compares every instruction of this package with the output of two assemblers for its text.
func TestEncodings(t *testing.T) { compare(t, all()) }

// TestWords compares every WORD of the generated files with its comment.
func TestWords(t *testing.T) {
	files, _ := filepath.Glob("../../*_arm64.s")
	re := regexp.MustCompile(`WORD \$0x([0-9a-f]{8}) // (.*)`)
	var encs []Enc
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if m := re.FindStringSubmatch(s.Text()); m != nil {
				w, _ := strconv.ParseUint(m[1], 16, 32)
				encs = append(encs, Enc{uint32(w), m[2]})
			} else if strings.Contains(s.Text(), "WORD") {
				t.Error(fmt.Sprint("a WORD without a mnemonic: ", s.Text()))
			}
		}
		f.Close()
	}
	compare(t, encs)
}
