package onnxtest

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// script runs models with onnxruntime-node: one object per run, {"model", "inputs": {name: {"type", "dims", "data"}}}.
const script = `
const ort = require(process.argv[2]);
const fs = require("fs");
(async () => {
  const out = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[3]))) {
    const session = await ort.InferenceSession.create(job.model, {logSeverityLevel: 3, intraOpNumThreads: 1});
    const feeds = {};
    for (const [name, t] of Object.entries(job.inputs)) {
      const data = t.type === "int64" ? BigInt64Array.from(t.data, BigInt)
        : t.type === "float64" ? Float64Array.from(t.data) : Float32Array.from(t.data);
      feeds[name] = new ort.Tensor(t.type, data, t.dims);
    }
    const res = {};
    for (const [name, t] of Object.entries(await session.run(feeds))) {
      res[name] = {Dims: Array.from(t.dims, Number), Data: Array.from(t.data, v => Number.isFinite(v) ? v : null)};
    }
    out.push(res);
  }
  process.stdout.write(JSON.stringify(out));
})().catch(e => { console.error(String(e)); process.exit(1); });
`

// Job is one run of a model.
type Job struct {
	Model  []byte
	Double bool // inputs are double, else float
	Inputs map[string]Tensor
}

// Runtime runs jobs with ONNX Runtime. It skips the test unless node is there and STHENO_ONNXRUNTIME names the folder
// of the npm package onnxruntime-node.
func Runtime(t *testing.T, jobs []Job) []map[string]Tensor {
	t.Helper()
	pkg := os.Getenv("STHENO_ONNXRUNTIME")
	node, err := exec.LookPath("node")
	if pkg == "" || err != nil {
		t.Skip("no ONNX Runtime: wants node, and STHENO_ONNXRUNTIME with the folder of the npm package onnxruntime-node")
	}
	dir := t.TempDir()
	type tensor struct {
		Type string    `json:"type"`
		Dims []int     `json:"dims"`
		Data []float64 `json:"data"`
	}
	type job struct {
		Model  string            `json:"model"`
		Inputs map[string]tensor `json:"inputs"`
	}
	var list []job
	for i, j := range jobs {
		path := filepath.Join(dir, fmt.Sprintf("%d.onnx", i))
		if err := os.WriteFile(path, j.Model, 0o600); err != nil {
			t.Fatal(err)
		}
		typ := "float32"
		if j.Double {
			typ = "float64"
		}
		in := map[string]tensor{}
		for name, x := range j.Inputs {
			in[name] = tensor{typ, x.Dims, x.Data}
			if x.Whole {
				in[name] = tensor{"int64", x.Dims, x.Data}
			}
		}
		list = append(list, job{path, in})
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	jobFile, code := filepath.Join(dir, "jobs.json"), filepath.Join(dir, "run.js")
	for path, data := range map[string][]byte{jobFile: b, code: []byte(script)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(node, code, pkg, jobFile)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ONNX Runtime: %v", err)
	}
	var raw []map[string]struct {
		Dims []int
		Data []*float64
	}
	if err := json.Unmarshal(out, &raw); err != nil {
		t.Fatal(err)
	}
	var res []map[string]Tensor
	for _, outputs := range raw {
		m := map[string]Tensor{}
		for name, x := range outputs {
			y := Tensor{Dims: x.Dims}
			for _, v := range x.Data {
				if v == nil {
					y.Data = append(y.Data, math.NaN())
				} else {
					y.Data = append(y.Data, *v)
				}
			}
			m[name] = y
		}
		res = append(res, m)
	}
	return res
}
