package board

import (
	"fmt"
	"os"
	"strings"
)

// machine identifies the scope of process ids: this boot of the kernel, and its process namespace, since a container
// has its own. It is empty if /proc is not mounted.
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

// begun returns when a process of this machine started, in kernel ticks: ids are reused, but not together with the
// start time. It is empty if there is no such process, or it is a zombie.
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
