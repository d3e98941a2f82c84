// Package viz draws energy-based models: samples, energies, scores, chains and the progress of training.
//
//	energies on a Grid ─┐
//	samples, data ──────┼─▶ plotters ─▶ Figure: Panel, Triptych, Diagnostics ─▶ Save: .png .svg .pdf
//	curves, chains ─────┘                            └─▶ Animation, Walk ─▶ .gif, Terminal
//
// The plotters satisfy plot.Plotter and plot.DataRanger of gonum.org/v1/plot and work in any of its plots:
//
//	FilledContour  energy contours as exact polygons, with lines
//	HeatMap        the same values, interpolated, as an image
//	Arrows         a vector field, for instance the score ∇ₓ log p = −∇E
//	Scatter        points, more transparent where they are dense
//	Trails         the trajectories of chains
//	Curve, Steps, Bars   losses, marginal histograms, traces, autocorrelations, R̂ and ESS
//
// A Surface, the landscape in three dimensions with hidden surfaces removed, fills a canvas of its own, as vectors.
//
// Draws of a sampler (any type with Labels and Values, such as *mcmc.Draws) become pictures in one call:
// NewDiagnostics, NewPairs with divergences, NewEnergyPlot, NewRankPlot.
//
// A Figure arranges plots in rows and columns so that their data rectangles align, with attached colour bars; Panel,
// Triptych, Diagnostics and the other ready-made pictures are figures filled from plain data. Save writes a picture
// as PNG (at twice the size of a 96 dpi screen), SVG or PDF by the extension of the path; text becomes outlines, so
// that a file looks the same wherever it is opened. Animation renders panels with one scale, one camera and one
// palette.
//
// # Conventions
//
// Samples are an n×2 *mat.Dense, one point per row (further columns are ignored). Values on the plane are a Grid,
// which the caller fills by evaluating its energy at Grid.Points. An energy is defined up to a constant: pictures
// show E − min E, clipped from above (see Grid.Landscape), so that wells remain visible beneath a confining wall.
// Lengths are points (1/72 inch). Nothing here keeps or changes its arguments, save where a comment says so.
//
// There are examples of [Panel], [Diagnostics], [Figure] and [Animation].
package viz

// The pictures of README.md, from trained models; needs Chromium.
//go:generate go test ./live -count=1 -timeout=30m -run=TestGallery -gallery=../gallery
