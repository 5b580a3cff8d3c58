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

// ginkgos are Ginkgo's own goroutines, which live as long as the process: they
// wait for a signal, or for word from the other processes of a parallel run.
var ginkgos = []goleak.Option{
	goleak.IgnoreAnyFunction(interruptHandler + ".func1"), goleak.IgnoreAnyFunction(interruptHandler + ".func2"),
	goleak.IgnoreAnyFunction("net/rpc.(*Client).input"),
}

const interruptHandler = "github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts"

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
	goleak.VerifyNone(t, append(ginkgos, before)...)
}
