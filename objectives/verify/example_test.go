package verify_test

import (
	"context"
	"fmt"

	"github.com/stheno-ebm/stheno/objectives/verify"
)

// Check Hamiltonian Monte Carlo against targets with known moments.
func ExampleRun() {
	var checks []verify.Check
	for _, c := range verify.Samplers() {
		if c.Name == "hmc" {
			checks = append(checks, c)
		}
	}
	rows, err := verify.Run(context.Background(), checks, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		fmt.Println(r.Name, r.Target, r.Statistic, r.Pass)
	}
	// Output:
	// hmc gaussian z of moments true
	// hmc mixture z of moments true
}
