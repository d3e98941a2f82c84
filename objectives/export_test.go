package objectives

// Forget unregisters a name.
func Forget(name string) {
	registryMu.Lock()
	defer registryMu.Unlock()
	delete(registry, name)
	for i, n := range order {
		if n == name {
			order = append(order[:i], order[i+1:]...)
			return
		}
	}
}
