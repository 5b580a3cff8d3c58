package spec

import (
	"fmt"
	"os"
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

// Lab gives the chips that the worlds of this process share, for a spec that runs
// scenarios whole.
func Lab() *vtpm.Lab {
	ginkgo.GinkgoHelper()
	l, err := lab()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return l
}

// ginkgos are Ginkgo's own goroutines, which live as long as the process: they
// wait for a signal, or for word from the other processes of a parallel run.
var ginkgos = []goleak.Option{
	goleak.IgnoreAnyFunction(interruptHandler + ".func1"), goleak.IgnoreAnyFunction(interruptHandler + ".func2"),
	goleak.IgnoreAnyFunction("net/rpc.(*Client).input"),
}

const interruptHandler = "github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts"

// Run runs the package's specs as one suite. It fails where goroutines are
// left afterwards. With a range of seeds it runs them in as many processes as
// there are cores, unless Ginkgo does so itself.
func Run(t *testing.T, name string) {
	if n := processes(); n > 1 {
		runBeside(t, n)
		return
	}
	before := goleak.IgnoreCurrent()
	gomega.RegisterFailHandler(ginkgo.Fail)
	if seeds, err := Seeds(); err == nil && len(seeds) > 0 && os.Getenv(shareVariable) == "" {
		ginkgo.ReportAfterSuite("seeds", func(r ginkgo.Report) { fmt.Fprint(os.Stdout, tellSmallest(r)) })
	}
	ginkgo.RunSpecs(t, name)
	if l, err := lab(); err != nil {
		t.Error(err)
	} else if err := l.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, append(ginkgos, before)...)
}
