package cloud_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/peers/internal/output"
)

// patience is how long a process may take to come or to go on a busy machine.
const patience = time.Minute

// cloud is a `windtunnel serve` of a spec's own.
type cloud struct {
	Ready ready
	cmd   *exec.Cmd
	said  *output.Log // on standard error
	ended chan error  // gets the process's end once
	proxy *http.Transport
	admin http.Client // for the management listener
}

// ready is the document that serve prints when clients can come.
type ready struct {
	TenantID, Domain, Proxy, TLS, HTTP, CA, Management, State string
	Applications                                              []application
	Users                                                     []user
	Hosts                                                     []string
	Environment                                               map[string]string
}

type application struct{ Name, ClientID, Secret string }

type user struct{ UPN, Password string }

// event is one of the journal.
type event struct {
	Seq          uint64
	Time         time.Time
	Device, Kind string
	Fields       map[string]any
	Loose        map[string]any
}

// start serves the built-in scenario, or what the arguments of `windtunnel
// serve` say, until the spec is over; then the process has to leave in good
// order.
func start(args ...string) *cloud {
	GinkgoHelper()
	c := launch(args...)
	DeferCleanup(c.stop)
	return c
}

// launch is start for whoever ends the process by other means.
func launch(args ...string) *cloud {
	GinkgoHelper()
	ca := filepath.Join(GinkgoT().TempDir(), "ca.pem")
	usual := []string{"serve", "--json", "--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--http", "127.0.0.1:0", "--management", "127.0.0.1:0", "--ca", ca}
	c := &cloud{said: &output.Log{}, ended: make(chan error, 1)}
	c.cmd = exec.Command(windtunnel, append(usual, args...)...)
	c.cmd.Stderr = c.said
	out, err := c.cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(c.cmd.Start()).To(Succeed())
	said := make(chan error, 1)
	go func() {
		in := json.NewDecoder(out)
		said <- in.Decode(&c.Ready)
		_, _ = io.Copy(io.Discard, out) // what follows is of no interest
		c.ended <- c.cmd.Wait()
	}()
	DeferCleanup(func() { // whatever happens, it does not outlive the spec
		_ = c.cmd.Process.Kill()
		if CurrentSpecReport().Failed() {
			GinkgoWriter.Printf("%s said:\n%s\n", c.cmd, c.said)
		}
	})
	Eventually(said, patience).Should(Receive(&err))
	if err != nil {
		Fail(fmt.Sprintf("%s: no ready document: %v\n%s", c.cmd, err, c.said))
	}
	c.trust()
	return c
}

// trust makes the transport that goes through the proxy and trusts the CA.
func (c *cloud) trust() {
	GinkgoHelper()
	pem, err := os.ReadFile(c.Ready.CA)
	Expect(err).NotTo(HaveOccurred())
	pool := x509.NewCertPool()
	Expect(pool.AppendCertsFromPEM(pem)).To(BeTrue())
	proxy, err := url.Parse(c.Ready.Proxy)
	Expect(err).NotTo(HaveOccurred())
	c.proxy = &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64}
}

// stop ends the process as Ctrl-C does, and expects it to leave in good order:
// with exit code 0, and no handler that has failed by a defect of its own.
func (c *cloud) stop() {
	GinkgoHelper()
	Expect(c.Journal("service.panicked")).To(BeEmpty())
	c.proxy.CloseIdleConnections()
	c.admin.CloseIdleConnections()
	Expect(c.cmd.Process.Signal(syscall.SIGINT)).To(Succeed())
	var err error
	Eventually(c.ended, patience).Should(Receive(&err))
	Expect(err).NotTo(HaveOccurred(), c.said.String())
}

// kill ends the process at once, as kill -9 does.
func (c *cloud) kill() {
	GinkgoHelper()
	Expect(c.cmd.Process.Kill()).To(Succeed())
	Eventually(c.ended, patience).Should(Receive(HaveOccurred()))
	c.proxy.CloseIdleConnections()
	c.admin.CloseIdleConnections()
}

// App is the administrator's application.
func (c *cloud) App() application { return c.Ready.Applications[0] }

// Client is a client that is pointed at the proxy and trusts the CA. It shares
// connections with the other ones of the spec.
func (c *cloud) Client() *http.Client {
	return &http.Client{Transport: c.proxy, Timeout: patience}
}

// Env is the environment for other people's programs: what serve says to set.
func (c *cloud) Env() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") && !strings.HasPrefix(name, "AZURE_") {
			env = append(env, v)
		}
	}
	for name, value := range c.Ready.Environment {
		env = append(env, name+"="+value)
	}
	return env
}

// Run runs a program in that environment that must succeed, and gives what it
// writes to standard output.
func (c *cloud) Run(name string, args ...string) string {
	GinkgoHelper()
	out, said, err := c.Try(name, args...)
	if err != nil {
		Fail(fmt.Sprintf("%s %q: %v\n%s%s", name, args, err, out, said))
	}
	return out
}

// Try runs a program that may fail.
func (c *cloud) Try(name string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(name, args...)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.Env(), &out, &said
	err = cmd.Run()
	GinkgoWriter.Printf("$ %s %q: %v\n%s%s", name, args, err, &out, &said)
	return out.String(), said.String(), err
}

// Journal is what happened so far of a kind, a glob; "" is everything.
func (c *cloud) Journal(kind string) []event {
	GinkgoHelper()
	var all []event
	for since := uint64(0); ; {
		var page struct {
			Events []event
			Next   uint64
		}
		c.Manage(http.MethodGet, fmt.Sprintf("/v1/journal?limit=10000&kind=%s&since=%d", url.QueryEscape(kind), since), nil, &page)
		all = append(all, page.Events...)
		if len(page.Events) == 0 {
			return all
		}
		since = page.Next
	}
}

// Jump moves business time forward.
func (c *cloud) Jump(d time.Duration) {
	GinkgoHelper()
	c.Manage(http.MethodPost, "/v1/clock", map[string]string{"jump": d.String()}, nil)
}

// Now is business time.
func (c *cloud) Now() time.Time {
	GinkgoHelper()
	var clock struct{ Now time.Time }
	c.Manage(http.MethodGet, "/v1/clock", nil, &clock)
	return clock.Now
}

// AddFault adds a rule, in YAML or JSON, as a scenario's faults have it.
func (c *cloud) AddFault(rule string) {
	GinkgoHelper()
	status, body := c.manage(http.MethodPost, "/v1/faults", "application/yaml", []byte(rule))
	Expect(status).To(Equal(http.StatusOK), body)
}

// ClearFaults takes all rules away.
func (c *cloud) ClearFaults() {
	GinkgoHelper()
	c.Manage(http.MethodDelete, "/v1/faults", nil, nil)
}

// Reset makes the tenant what the scenario says.
func (c *cloud) Reset() {
	GinkgoHelper()
	c.Manage(http.MethodPost, "/v1/reset", nil, nil)
}

// Manage asks the management listener for something that must work.
func (c *cloud) Manage(method, path string, in, out any) {
	GinkgoHelper()
	var body []byte
	if in != nil {
		var err error
		body, err = json.Marshal(in)
		Expect(err).NotTo(HaveOccurred())
	}
	status, answer := c.manage(method, path, "application/json", body)
	Expect(status/100).To(Equal(2), "%s %s: %d %s", method, path, status, answer)
	if out != nil {
		Expect(json.Unmarshal([]byte(answer), out)).To(Succeed(), answer)
	}
}

// manage asks the management listener.
func (c *cloud) manage(method, path, contentType string, body []byte) (int, string) {
	GinkgoHelper()
	req, err := http.NewRequest(method, c.Ready.Management+path, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", contentType)
	resp, err := c.admin.Do(req)
	Expect(err).NotTo(HaveOccurred(), c.said.String())
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	return resp.StatusCode, string(answer)
}

// Token is an application's token for a resource, such as
// https://graph.microsoft.com, by its secret.
func (c *cloud) Token(resource string) string {
	GinkgoHelper()
	token, err := c.token(c.App(), resource)
	Expect(err).NotTo(HaveOccurred())
	return token
}

func (c *cloud) token(app application, resource string) (string, error) {
	resp, err := c.Client().PostForm("https://login.microsoftonline.com/"+c.Ready.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.Secret}, "scope": {resource + "/.default"},
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken      string `json:"access_token"`
		ErrorDescription string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.AccessToken == "" {
		return "", errors.New(answer.ErrorDescription)
	}
	return answer.AccessToken, nil
}
