package main

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/stheno-ebm/stheno/graphs/vector"
)

// peakFLOPS is the FMA peak of one core in float32, measured once.
var peakFLOPS = sync.OnceValue(vector.PeakFLOPS[float32])

// idleMeter tells how much of the machine other processes left free, from /proc/stat; where there is none, all of it.
type idleMeter struct{ total, other float64 }

func newIdleMeter() idleMeter {
	total, busy := processorTicks()
	return idleMeter{total, busy - ownTicks()}
}

// free returns the share of the processors' time since the meter was made that no other process used.
func (m idleMeter) free() float64 {
	total, busy := processorTicks()
	if total <= m.total {
		return 1
	}
	return 1 - max(0, busy-ownTicks()-m.other)/(total-m.total)
}

// processorTicks returns all ticks of all processors since boot, and those that were not idle.
func processorTicks() (total, busy float64) {
	line, _, _ := strings.Cut(readFile("/proc/stat"), "\n")
	for i, f := range strings.Fields(line) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil || i > 8 { // guest time is part of user time
			continue
		}
		total += v
		if i != 4 && i != 5 { // idle, waiting for a disk
			busy += v
		}
	}
	return total, busy
}

// ownTicks returns the ticks of this process and its children, the running ones included.
func ownTicks() float64 {
	self := os.Getpid()
	sum := ticksOf("self")
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if fields := statFields(e.Name()); len(fields) > 1 && fields[1] == strconv.Itoa(self) {
			sum += ticksOf(e.Name())
		}
	}
	return sum
}

func ticksOf(pid string) float64 {
	fields := statFields(pid)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return user + system
}

// statFields returns the fields of /proc/pid/stat after the command: state, parent, …
func statFields(pid string) []string {
	s := readFile("/proc/" + pid + "/stat")
	return strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
}

func readFile(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}
