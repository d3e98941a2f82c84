package graphs

// Gorgonia depends on a module that refuses to start with newer Go releases unless this version is required; the import
// keeps the requirement in go.mod, where all users of Stheno inherit it.
import _ "go4.org/unsafe/assume-no-moving-gc"
