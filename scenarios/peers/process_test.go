package peers_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/peers/internal/output"
)

// patience is how long a process may take to come or to go on a busy machine.
const patience = 30 * time.Second

// process runs a server until the spec is over, then ends it with a signal and
// expects it to leave in good order.
func process(stdout io.Writer, name string, args ...string) {
	GinkgoHelper()
	said := &output.Log{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = said, said
	if stdout != nil {
		cmd.Stdout = stdout
	}
	Expect(cmd.Start()).To(Succeed())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			GinkgoWriter.Printf("%s %s said:\n%s\n", name, strings.Join(args, " "), said)
		}
		Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed(), "it ended before its time: %s", said)
		select {
		case err := <-ended:
			Expect(err).NotTo(HaveOccurred(), "%s", said)
		case <-time.After(patience):
			_ = cmd.Process.Kill() // the failure below says it
			Fail(fmt.Sprintf("%s does not end: %s", name, said))
		}
	})
}

// served is what `windtunnel tpm serve --json` prints.
type served struct {
	Chip, Model, Device, Serial string
	N, Port, PlatformPort       int
	TCTI, Warning               string
}

// serve offers a chip of ours to the tools of the spec.
func serve(args ...string) (*tools, served) {
	GinkgoHelper()
	r, w := io.Pipe()
	DeferCleanup(w.Close)
	process(w, windtunnel, append([]string{"tpm", "serve", "--json", "-v", "--port", "0", "--tpm-cache", images}, args...)...)
	said := make(chan served, 1)
	go func() {
		defer GinkgoRecover()
		var s served
		in := json.NewDecoder(bufio.NewReader(r))
		Expect(in.Decode(&s)).To(Succeed())
		said <- s
		_, _ = io.Copy(io.Discard, in.Buffered()) // what follows is of no interest
		_, _ = io.Copy(io.Discard, r)
	}()
	var s served
	Eventually(said, patience).Should(Receive(&s))
	return newTools(s.TCTI), s
}

// swtpm offers a chip that is not ours.
func swtpm() *tools {
	GinkgoHelper()
	port := freePair()
	process(nil, "swtpm", "socket", "--tpm2", "--tpmstate", "dir="+GinkgoT().TempDir(), "--flags", "not-need-init,startup-clear",
		"--server", fmt.Sprintf("type=tcp,port=%d", port), "--ctrl", fmt.Sprintf("type=tcp,port=%d", port+1))
	for _, p := range []int{port, port + 1} {
		Eventually(func() bool { return listening(p) }, patience, 10*time.Millisecond).Should(BeTrue())
	}
	return newTools(fmt.Sprintf("swtpm:host=127.0.0.1,port=%d", port))
}

// listening tells from the kernel's table whether somebody listens. To try is
// no way: swtpm serves one client only, and takes whoever connects for it.
func listening(port int) bool {
	GinkgoHelper()
	const stateListen = "0A"
	table, err := os.ReadFile("/proc/net/tcp")
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == stateListen {
			return true
		}
	}
	return false
}

// freePair finds two ports next to each other.
func freePair() int {
	GinkgoHelper()
	for range 64 {
		first, err := net.Listen("tcp4", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port+1))
		Expect(first.Close()).To(Succeed())
		if err == nil {
			Expect(second.Close()).To(Succeed())
			return port
		}
	}
	Fail("no two free ports next to each other")
	return 0
}
