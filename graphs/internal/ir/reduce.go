package ir

type (
	RowSum     struct{ reduction } // (n,m) → (n,1)
	ColSum     struct{ reduction } // (n,m) → (1,m)
	Sum        struct{ reduction } // (n,m) → (1,1)
	RowMax     struct{ byRow }     // (n,m) → (n,1)
	ColMax     struct{ whole }     // (n,m) → (1,m)
	RowLSE     struct{ byRow }     // (n,m) → (n,1): log Σ exp
	RowSoftmax struct{ byRow }     // (n,m) → (n,m)
)

func (RowSum) Name() string     { return "rowsum" }
func (ColSum) Name() string     { return "colsum" }
func (Sum) Name() string        { return "sum" }
func (RowMax) Name() string     { return "rowmax" }
func (ColMax) Name() string     { return "colmax" }
func (RowLSE) Name() string     { return "rowlse" }
func (RowSoftmax) Name() string { return "rowsoftmax" }

// Reduces is false: a RowSum sums within each row, not over rows.
func (RowSum) Reduces() bool { return false }

func (RowSum) Text(a []string) string     { return plain("rowsum", a) }
func (ColSum) Text(a []string) string     { return plain("colsum", a) }
func (Sum) Text(a []string) string        { return plain("sum", a) }
func (RowMax) Text(a []string) string     { return plain("rowmax", a) }
func (ColMax) Text(a []string) string     { return plain("colmax", a) }
func (RowLSE) Text(a []string) string     { return plain("rowlse", a) }
func (RowSoftmax) Text(a []string) string { return plain("rowsoftmax", a) }

// RowSum is (n,m) → (n,1).
func (g *Graph) RowSum(a ID) ID { return g.Emit(RowSum{}, g.At(a).Rows, 1, a) }

// ColSum is (n,m) → (1,m).
func (g *Graph) ColSum(a ID) ID { return g.Emit(ColSum{}, 1, g.At(a).Cols, a) }

// Sum is the sum of all elements.
func (g *Graph) Sum(a ID) ID { return g.Emit(Sum{}, 1, 1, a) }

// RowMax is the largest element of every row.
func (g *Graph) RowMax(a ID) ID { return g.Emit(RowMax{}, g.At(a).Rows, 1, a) }

// ColMax is the largest element of every column.
func (g *Graph) ColMax(a ID) ID { return g.Emit(ColMax{}, 1, g.At(a).Cols, a) }

// RowLSE is log Σ exp of every row.
func (g *Graph) RowLSE(a ID) ID { return g.Emit(RowLSE{}, g.At(a).Rows, 1, a) }

// RowSoftmax is the softmax of every row.
func (g *Graph) RowSoftmax(a ID) ID { return g.map1(RowSoftmax{}, a) }
