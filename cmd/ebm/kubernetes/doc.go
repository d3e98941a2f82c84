// Package kubernetes holds the manifest that `ebm compare --emit kubernetes` prints against the types of Kubernetes.
// It is a module of its own, so that nobody who uses the library has these among its requirements.
package kubernetes
