package spec

import (
	"sync"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/vtpm"
)

// lab holds the TPM chips of all worlds of this process; images come from the
// user's cache directory and are made where they are missing.
var lab = sync.OnceValues(func() (*vtpm.Lab, error) { return vtpm.Open(vtpm.Options{}) })

// Run runs the package's specs as one suite. It fails where goroutines are
// left afterwards.
func Run(t *testing.T, name string) {
	before := goleak.IgnoreCurrent()
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, name)
	if l, err := lab(); err != nil {
		t.Error(err)
	} else if err := l.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}
