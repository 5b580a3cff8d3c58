package serve_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/serve"
)

// A client that comes while the tenant is reset or imported notices nothing but
// a wait: no refusal by services that are half gone, or half there.
func TestClientsWaitForResetAndImport(t *testing.T) {
	for name, change := range map[string]func(*serve.Options){
		"in memory":   func(*serve.Options) {},
		"with a file": func(o *serve.Options) { o.StateDir = t.TempDir() },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, change)
			_, state := s.ask(http.MethodGet, "/v1/state", "")
			over := make(chan struct{})
			var clients sync.WaitGroup
			var mu sync.Mutex
			seen := map[int]string{}
			for range 4 {
				clients.Go(func() {
					for {
						select {
						case <-over:
							return
						default:
						}
						status, answer := s.graph(http.MethodGet, "/groups", "")
						mu.Lock()
						seen[status] = answer
						mu.Unlock()
					}
				})
			}
			for range 5 {
				s.must(http.MethodPost, "/v1/reset", "", nil)
				s.must(http.MethodPut, "/v1/state", state, nil)
			}
			close(over)
			clients.Wait()
			s.Expect(seen).To(gomega.HaveLen(1), "%v", seen)
			s.Expect(seen).To(gomega.HaveKey(http.StatusOK))
		})
	}
}
