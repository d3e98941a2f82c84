package main

import (
	"path/filepath"
	"strings"
)

type exportCmd struct {
	RunDir    string  `arg:"" name:"run" help:"Run directory."`
	Format    *string `enum:"${exports}" placeholder:"FORMAT" help:"${enum} (by the extension of --out)."`
	Out       string  `required:"" placeholder:"FILE" help:"File to write."`
	Precision *string `enum:"${precisions}" placeholder:"TYPE" help:"${enum} (that of the run)."`
	JSON      bool    `name:"json" help:"Print what was written as JSON."`
}

func (exportCmd) Help() string {
	return `An ONNX model has the input x (batch, d), in the units of the data, and the outputs energy (batch, 1) and gradient (batch, d); the density is exp(-energy)/Z. It uses standard operations of opset 17. A safetensors file has the weights under PyTorch's names, the scale of the columns as metadata where the run standardises them, and the arrays of a bridge, or of a base and the share of the network in it. Of the data an exported file holds what its energy needs and nothing else. The background of a bridge is made of training points: then a note says of how many. Where columns are discrete, the file holds a continuous density, and its metadata "density" and "discrete" say how to get probabilities of rows from it; a note says so.

Examples:

    ebm export runs/4squares-sm-1 --out energy.onnx
    ebm export runs/4squares-sm-1 --format safetensors --out weights.safetensors`
}

// exported is the object of `ebm export --json`.
type exported struct {
	Out       string `json:"out"`
	Format    string `json:"format"`
	Precision string `json:"precision"`
	Bytes     int    `json:"bytes"`
	Points    int    `json:"data_points"` // of the training data, in the file
}

// exportFormats are the extensions of exported files, and without the dot the values of --format.
var exportFormats = []string{".onnx", ".safetensors"}

func (c *exportCmd) Run(e *env) error {
	formats := exportFormats
	if c.Format != nil {
		formats = []string{"." + *c.Format}
	}
	if err := checkOut(c.Out, formats...); err != nil {
		return err
	}
	format := strings.ToLower(filepath.Ext(c.Out))[1:]
	m, err := e.openModel(c.RunDir)
	if err != nil {
		return err
	}
	if c.Precision != nil {
		m.Config.Precision = *c.Precision
	}
	encode := m.ONNX
	if format == "safetensors" {
		encode = m.Export
	}
	b, err := encode()
	if err != nil {
		return err
	}
	if err := e.write(c.Out, b); err != nil {
		return err
	}
	points := 0
	if m.DataSum() != "" { // those of a distribution are nobody's
		points = m.Exposed()
	}
	if points > 0 {
		e.logf(
			"note: the energy has a bridge, the background of which is made of points of the data: %s holds %d of them; "+
				"--bridge 0 trains without", c.Out, points)
	}
	if m.Discrete() != "" {
		e.logf("note: %s holds a continuous density; its metadata say how to get probabilities of discrete values "+
			"from it", c.Out)
	}
	if c.JSON {
		return writeJSON(e.stdout, exported{c.Out, format, m.Config.Precision, len(b), points})
	}
	return nil
}
