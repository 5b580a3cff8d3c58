// Package restart is about a cloud whose process is killed: whatever a client was told is so at the next one's.
package restart_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/serve"
	"windtunnel.test/sim/spec"
)

// stateDir makes a process of this test binary the cloud, with its state there.
const stateDir = "WINDTUNNEL_RESTART_STATE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(stateDir); dir != "" {
		if err := beCloud(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestRestart(t *testing.T) { spec.Run(t, "restart") }

// users is how many people there are beside the built-in tenant's.
const users = 400

func beCloud(dir string) error {
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, sim.LoadOptions(false))
	if err := problems.Err(); err != nil {
		return err
	}
	s.Tenant.MoreUsers = &scenario.MoreUsers{Count: users}
	if s, problems = s.Resolve(scenario.Flags{Devices: 1}); problems.Err() != nil {
		return problems.Err()
	}
	server, err := serve.New(serve.Options{Scenario: s, StateDir: dir, TLS: "127.0.0.1:0", Proxy: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(server.Ready()); err != nil {
		return err
	}
	return server.Run(context.Background())
}

// cloud is a process that serves.
type cloud struct {
	cmd   *exec.Cmd
	ready serve.Endpoints
}

func start(dir string) *cloud {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	c := &cloud{cmd: exec.Command(self)}
	c.cmd.Env = append(os.Environ(), stateDir+"="+dir)
	c.cmd.Stderr = GinkgoWriter
	out, err := c.cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(c.cmd.Start()).To(Succeed())
	DeferCleanup(func() { _ = c.cmd.Process.Kill() }) // it may be dead, as it should be
	Expect(json.NewDecoder(out).Decode(&c.ready)).To(Succeed())
	return c
}

// kill is SIGKILL: nothing in the process learns of it.
func (c *cloud) kill() {
	GinkgoHelper()
	Expect(c.cmd.Process.Kill()).To(Succeed())
	Expect(c.cmd.Wait()).To(MatchError("signal: killed"))
}
