package main

func activations(e vec) {}
func functions(e vec)   {}
func elementwise(e vec) {}
func sums(e vec)        {}
func conversions()      {}
func normals()          {}
func adam()             {}
