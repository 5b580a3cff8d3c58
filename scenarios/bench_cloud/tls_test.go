package bench_cloud

import (
	"crypto/x509"
	"encoding/gob"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"windtunnel.test/scenarios/enrollee"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

// overTLS is how many devices come in over TCP.
const overTLS = 600

// What one device costs over TCP with TLS 1.3: a connection for each device and step, with a full handshake and a P-256
// certificate. The devices are another process; the figure is all that this one uses.
func BenchmarkPromiseCloudOverTLS(b *testing.B) {
	twoCores(b)
	for range b.N {
		c := newCloud(b, overTLS+100)
		root, err := vnet.NewRealRoot()
		if err != nil {
			b.Fatal(err)
		}
		g, err := c.world.Network.Gateway(vnet.GatewayOptions{ListenTLS: "127.0.0.1:0", ListenProxy: "127.0.0.1:0", RealRoot: root})
		if err != nil {
			b.Fatal(err)
		}
		clients := newClients(b, g.TLSAddr(), root)
		c.inBatches(100, clients.run) // what is made once for all
		total := c.inBatches(overTLS, clients.run)
		clients.close()
		if err := g.Close(b.Context()); err != nil {
			b.Error(err)
		}
		c.close()
		board.State(b, "token issue over TLS, CPU", "ms", total.each(total.token))
		board.State(b, "join over TLS, CPU", "ms", total.each(total.join))
		board.Hold(b, promise.Promise{Text: "enrolment over TLS, CPU", Unit: "ms", Measured: total.each(total.enrol), Limit: 3})
	}
}

// clientAt is set in the process that is the devices: the address, and the file of the certificate that it trusts.
const clientAt = "WINDTUNNEL_BENCH_CLOUD"

// clients are the devices' process. A step goes over its standard input and comes back over its standard output.
type clients struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.WriteCloser
	to  *gob.Encoder
	of  *gob.Decoder
}

// result is what became of a step's messages.
type result struct {
	Answers [][]byte
	Err     string
}

func newClients(b *testing.B, address string, root *pki.CA) *clients {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	file := filepath.Join(b.TempDir(), "ca.pem")
	must(os.WriteFile(file, pki.PEM(root.Cert), 0o600))
	self, err := os.Executable()
	must(err)
	c := &clients{b: b, cmd: exec.Command(self, file)}
	c.cmd.Env = append(os.Environ(), clientAt+"="+address)
	c.cmd.Stderr = os.Stderr
	c.in, err = c.cmd.StdinPipe()
	must(err)
	out, err := c.cmd.StdoutPipe()
	must(err)
	must(c.cmd.Start())
	c.to, c.of = gob.NewEncoder(c.in), gob.NewDecoder(out)
	return c
}

func (c *clients) close() {
	if err := c.in.Close(); err != nil {
		c.b.Error(err)
	}
	if err := c.cmd.Wait(); err != nil {
		c.b.Error(err)
	}
}

// run has the other process send a step's messages. It has them before the count begins, and gives the answers after it has
// ended.
func (c *clients) run(step [][]enrollee.Message) (answers [][]byte, used time.Duration) {
	c.b.Helper()
	say := func(v any) {
		c.b.Helper()
		if err := c.to.Encode(v); err != nil {
			c.b.Fatal(err)
		}
	}
	hear := func(v any) {
		c.b.Helper()
		if err := c.of.Decode(v); err != nil {
			c.b.Fatal(err)
		}
	}
	var ready bool
	say(step)
	hear(&ready)
	before := cpu(c.b)
	say(true)
	hear(&ready)
	used = cpu(c.b) - before
	var r result
	hear(&r)
	if r.Err != "" {
		c.b.Fatal(r.Err)
	}
	return r.Answers, used
}

// actAsClient is the devices' process, until its standard input ends.
func actAsClient(address string) {
	text, err := os.ReadFile(os.Args[1])
	fatal(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	in, out := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)
	for {
		var step [][]enrollee.Message
		if in.Decode(&step) != nil {
			return
		}
		var begin bool
		fatal(out.Encode(true))
		fatal(in.Decode(&begin))
		r := result{Answers: make([][]byte, len(step))}
		for i, messages := range step {
			if r.Answers[i], err = sendAll(address, roots, messages); err != nil {
				r.Err = err.Error()
			}
		}
		fatal(out.Encode(true))
		fatal(out.Encode(r))
	}
}

// sendAll sends a device's messages over a connection of its own.
func sendAll(address string, roots *x509.CertPool, messages []enrollee.Message) (answer []byte, err error) {
	send, hangUp := enrollee.Dial(address, roots, nil)
	defer hangUp()
	for _, m := range messages {
		var status int
		if status, answer, err = send(m); err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s: %d %s", m.URL, status, answer)
		}
		if err != nil {
			return nil, err
		}
	}
	return answer, nil
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
