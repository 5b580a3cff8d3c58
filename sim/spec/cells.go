package spec

import (
	"runtime"

	"github.com/onsi/ginkgo/v2"
	"golang.org/x/sync/errgroup"
)

// SideBySide lives through n worlds of the running spec, as many at a time as
// there are cores, and gives the error of each. All have the spec's seed unless
// options say otherwise. live gets a world that is nobody else's; a verb that
// fails in it fails the spec, an error leaves the others going, so that a spec
// can tell of all worlds that went wrong.
func SideBySide(n int, options func(i int) []Option, live func(i int, w *World) error) []error {
	ginkgo.GinkgoHelper()
	errs := make([]error, n)
	var group errgroup.Group
	group.SetLimit(max(1, runtime.GOMAXPROCS(0)))
	for i := range n {
		group.Go(func() error {
			defer ginkgo.GinkgoRecover()
			w := newWorld(options(i)...)
			defer func() {
				if err := w.Close(); err != nil && errs[i] == nil {
					errs[i] = err
				}
			}()
			errs[i] = live(i, w)
			return nil
		})
	}
	_ = group.Wait() // errors are in errs
	return errs
}
