//go:build !linux

package pcs

// machine knows of Linux alone.
func machine(string) (disk, memory int64) { return -1, -1 }
