package board

import (
	"fmt"
	"os"
	"strings"
)

// machine names what process ids count in: this start of the kernel, and its namespace of processes, of which a
// container has its own. It is empty where /proc is not mounted.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// begun is when a process of this machine began, in ticks of the kernel: an id is used again, with the time it is not.
// It is empty when there is no such process, or nothing but its exit code is left.
func begun(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the name, in brackets and with anything inside: count from its end. Fields 3 and 22 are
	// state and start.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}
