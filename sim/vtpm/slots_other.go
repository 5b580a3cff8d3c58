//go:build !linux

package vtpm

import "errors"

// newMemory says what openEngine would say: there are no chips here.
func newMemory() (memory, error) {
	return nil, errors.New("virtual TPMs need linux/amd64")
}
