package target

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// A windtunnel serve of the load's own: started, looked at, asked by a PC's card,
// measured, ended.
func TestServeIsAProcessOfItsOwn(t *testing.T) {
	g := gomega.NewWithT(t)
	binary := filepath.Join(t.TempDir(), "windtunnel")
	out, err := exec.Command("go", "build", "-o", binary, "windtunnel.test/sim/cmd/windtunnel").CombinedOutput()
	g.Expect(err).NotTo(gomega.HaveOccurred(), string(out))
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	g.Expect(problems).To(gomega.BeEmpty())
	target, err := Serve(t.Context(), ServeOptions{Scenario: quickstart.YAML, Binary: binary})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(target.Check(t.Context())).To(gomega.Succeed())

	clock := vclock.NewWall()
	web, err := pki.NewRoot(clock.Now(), 0, "Web Root", pki.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w, err := sim.NewLive(sim.LiveOptions{Scenario: s, Clock: clock, Web: web})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(target.Connect(w)).To(gomega.Succeed())
	var users struct {
		Value []struct{ UserPrincipalName string }
	}
	g.Expect(w.Administrator().Graph(t.Context(), http.MethodGet, "https://graph.microsoft.com/v1.0/users?$top=5", nil, &users)).To(gomega.Succeed())
	g.Expect(users.Value).NotTo(gomega.BeEmpty())
	// The attestation service's certificates are below a root that only the child has.
	nic := w.Network.Attach(vnet.NICOptions{Device: "PC"})
	g.Expect(nic).NotTo(gomega.BeNil())
	g.Expect(target.Use().CPUSeconds).To(gomega.BeNumerically(">", 0))
	g.Expect(target.Use().RSS).To(gomega.BeNumerically(">", 1<<20))
	g.Expect(w.Close()).To(gomega.Succeed())
	g.Expect(target.Close()).To(gomega.Succeed())
	g.Expect(target.Close()).To(gomega.Succeed())
	g.Expect(target.Check(t.Context())).To(gomega.MatchError(gomega.ContainSubstring("connection refused")))
}

func TestServeThatFailsSaysWhy(t *testing.T) {
	g := gomega.NewWithT(t)
	begin := time.Now()
	_, err := Serve(t.Context(), ServeOptions{Scenario: []byte("x"), Binary: "/bin/false"})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("did not say where it serves")))
	_, err = Serve(t.Context(), ServeOptions{Scenario: []byte("x"), Binary: "/none/windtunnel"})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("no such file")))
	g.Expect(strings.Contains(err.Error(), "load target")).To(gomega.BeTrue())
	g.Expect(time.Since(begin)).To(gomega.BeNumerically("<", readyLimit))
}
