//go:build !linux || !amd64 || !cgo

package vtpm

import (
	"errors"
	"os"
	"time"
)

// openEngine says what is missing: the engine exchanges the C variables of the
// TPM reference code, which is measured on linux/amd64 with gcc only.
func openEngine() (home, error) {
	return nil, errors.New("vtpm: virtual TPMs need linux/amd64, cgo (CGO_ENABLED=1), gcc and the OpenSSL headers (libssl-dev)")
}

func startChild(*os.File, time.Duration) (worker, error) {
	return nil, errors.New("no engine processes here")
}
