package serve_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
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
	"windtunnel.test/sim/serve"
)

// contoso is the built-in tenant.
func contoso(t testing.TB) *scenario.Scenario {
	t.Helper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, sim.LoadOptions(false))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	s, problems = s.Resolve(scenario.Flags{Devices: 1})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// site is a server under test, and a client of it.
type site struct {
	*gomega.WithT
	t      testing.TB
	server *serve.Server
	ready  serve.Endpoints
	client *http.Client
}

func options(t testing.TB) serve.Options {
	return serve.Options{
		Scenario: contoso(t), TLS: "127.0.0.1:0", Proxy: "127.0.0.1:0", Management: "127.0.0.1:0", CAFile: filepath.Join(t.TempDir(), "ca.pem"),
	}
}

func start(t testing.TB, change ...func(*serve.Options)) *site {
	t.Helper()
	g := gomega.NewWithT(t)
	o := options(t)
	for _, f := range change {
		f(&o)
	}
	server, err := serve.New(o)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	s := &site{WithT: g, t: t, server: server, ready: server.Ready()}
	pem, err := os.ReadFile(s.ready.CA)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	pool := x509.NewCertPool()
	g.Expect(pool.AppendCertsFromPEM(pem)).To(gomega.BeTrue())
	proxy, err := url.Parse(s.ready.Proxy)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		g.Expect(server.Close()).To(gomega.Succeed())
	})
	return s
}

// ask asks the management listener.
func (s *site) ask(method, path, body string, header ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.ready.Management+path, strings.NewReader(body))
	s.Expect(err).NotTo(gomega.HaveOccurred())
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	s.Expect(resp.Header).NotTo(gomega.HaveKey("Access-Control-Allow-Origin"))
	s.Expect(resp.Header.Get("Cache-Control")).To(gomega.Equal("no-store"))
	if resp.StatusCode != http.StatusNoContent {
		s.Expect(json.Valid(answer)).To(gomega.BeTrue(), "%s", answer)
	}
	return resp.StatusCode, string(answer)
}

// must is ask for what has to work, decoded.
func (s *site) must(method, path, body string, out any) {
	s.t.Helper()
	status, answer := s.ask(method, path, body)
	s.Expect(status/100).To(gomega.Equal(2), answer)
	if out != nil {
		s.Expect(json.Unmarshal([]byte(answer), out)).To(gomega.Succeed())
	}
}

// token is the administrator's for Graph.
func (s *site) token() string {
	s.t.Helper()
	app := s.ready.Applications[0]
	resp, err := s.client.PostForm("https://login.microsoftonline.com/"+s.ready.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.Secret}, "scope": {"https://graph.microsoft.com/.default"},
	})
	s.Expect(err).NotTo(gomega.HaveOccurred())
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	s.Expect(json.NewDecoder(resp.Body).Decode(&answer)).To(gomega.Succeed())
	return answer.AccessToken
}

// graph asks Graph, as the administrator.
func (s *site) graph(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "https://graph.microsoft.com/v1.0"+path, strings.NewReader(body))
	s.Expect(err).NotTo(gomega.HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+s.token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	return resp.StatusCode, string(answer)
}

func (s *site) addGroup(name string) {
	s.t.Helper()
	status, answer := s.graph(http.MethodPost, "/groups", `{"displayName":"`+name+`","mailEnabled":false,"mailNickname":"group","securityEnabled":true}`)
	s.Expect(status).To(gomega.Equal(http.StatusCreated), answer)
}

func (s *site) groups() string {
	s.t.Helper()
	_, answer := s.graph(http.MethodGet, "/groups", "")
	return answer
}

func TestReadySaysWhatToSet(t *testing.T) {
	s := start(t)
	s.Expect(s.ready.Warning).To(gomega.ContainSubstring("never a production service"))
	s.Expect(s.ready.Domain).To(gomega.Equal("contoso.com"))
	s.Expect(s.ready.Users).To(gomega.HaveLen(200))
	s.Expect(s.ready.Hosts).To(gomega.ContainElements("graph.microsoft.com", "login.microsoftonline.com", "*.microsoftaik.azure.net"))
	s.Expect(s.ready.Applications[0].Secret).NotTo(gomega.BeEmpty())
	var text bytes.Buffer
	s.Expect(s.ready.WriteText(&text)).To(gomega.Succeed())
	s.Expect(text.String()).To(gomega.ContainSubstring("export HTTPS_PROXY=" + s.ready.Proxy + "\n"))
	s.Expect(s.environmentOf(text.String())).To(gomega.Equal(s.ready.Environment), "the text says what the document says")
	s.Expect(s.ready.Environment).To(gomega.HaveKeyWithValue("http_proxy", s.ready.Proxy), "which is all that curl looks at")
	s.Expect(text.String()).To(gomega.ContainSubstring("\n  127.0.0.1 graph.microsoft.com\n"))
	s.Expect(text.String()).NotTo(gomega.ContainSubstring("*."), "a hosts file knows no wildcards")
	var again serve.Endpoints
	s.must(http.MethodGet, "/v1/ready", "", &again)
	s.Expect(again).To(gomega.Equal(s.ready))
}

// environmentOf is what a shell has set after it has read the exports.
func (s *site) environmentOf(text string) map[string]string {
	s.t.Helper()
	var script strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  export ") {
			script.WriteString(line)
		}
	}
	shell := exec.Command("env", "-i", "sh", "-c", script.String()+"env -0")
	out, err := shell.Output()
	s.Expect(err).NotTo(gomega.HaveOccurred())
	set := map[string]string{}
	for v := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if name, value, _ := strings.Cut(v, "="); name != "PWD" && name != "_" && name != "SHLVL" && name != "OLDPWD" {
			set[name] = value
		}
	}
	return set
}

// Each process has an authority that nobody has seen before, and writes its
// certificate alone.
func TestAuthorityIsNewAtEachStart(t *testing.T) {
	var before []byte
	for range 2 {
		s := start(t)
		b, err := os.ReadFile(s.ready.CA)
		s.Expect(err).NotTo(gomega.HaveOccurred())
		s.Expect(b).NotTo(gomega.Equal(before))
		certs, err := pki.ParsePEM(b) // which takes nothing but certificates
		s.Expect(err).NotTo(gomega.HaveOccurred())
		s.Expect(certs).To(gomega.HaveLen(1))
		before = b
	}
}

func TestAuthorityInItsUsualPlaceGoesWithTheProcess(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	s := start(t, func(o *serve.Options) { o.CAFile = "" })
	info, err := os.Stat(s.ready.CA)
	s.Expect(err).NotTo(gomega.HaveOccurred())
	s.Expect(info.Mode().Perm()).To(gomega.BeEquivalentTo(0o644))
	s.Expect(s.server.Close()).To(gomega.Succeed())
	_, err = os.Stat(s.ready.CA)
	s.Expect(errors.Is(err, os.ErrNotExist)).To(gomega.BeTrue())
}

func TestStateOutlivesTheServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	kept := func(o *serve.Options) { o.StateDir, o.CAFile = dir, "" }
	s := start(t, kept)
	s.addGroup("Kept")
	s.must(http.MethodPost, "/v1/clock", `{"jump":"90m"}`, nil)
	s.Expect(s.server.Close()).To(gomega.Succeed())

	other := options(t)
	other.StateDir = dir
	other.Scenario.Tenant.ID = "11111111-1111-4111-8111-111111111111"
	_, err := serve.New(other)
	s.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("the state is of tenant " + s.ready.TenantID)))

	s = start(t, kept)
	s.Expect(s.groups()).To(gomega.ContainSubstring("Kept"))
	var clock struct{ Now, Real time.Time }
	s.must(http.MethodGet, "/v1/clock", "", &clock)
	s.Expect(clock.Now.Sub(clock.Real).Round(time.Minute)).To(gomega.Equal(90 * time.Minute))

	second := options(t)
	second.StateDir = dir
	_, err = serve.New(second)
	var wrong *serve.InputError
	s.Expect(errors.As(err, &wrong)).To(gomega.BeTrue(), "%v", err)

	s.must(http.MethodPost, "/v1/reset", "", nil)
	s.Expect(s.groups()).NotTo(gomega.ContainSubstring("Kept"))
	s.addGroup("Kept")
	s.Expect(s.server.Close()).To(gomega.Succeed())
	s = start(t, kept)
	s.Expect(s.groups()).To(gomega.ContainSubstring("Kept"))
}

func TestUnusableOptions(t *testing.T) {
	taken := start(t)
	for name, c := range map[string]struct {
		change func(*serve.Options)
		want   string
	}{
		"port taken":               {func(o *serve.Options) { o.TLS = taken.ready.TLS }, "--listen: listen tcp " + taken.ready.TLS},
		"the proxy's port taken":   {func(o *serve.Options) { o.Proxy = taken.ready.TLS }, "--proxy: listen tcp " + taken.ready.TLS},
		"management port taken":    {func(o *serve.Options) { o.Management = taken.ready.TLS }, "port 0 picks a free one"},
		"all interfaces":           {func(o *serve.Options) { o.Proxy = ":0" }, "not on loopback"},
		"another machine":          {func(o *serve.Options) { o.Management = "192.0.2.1:80" }, "not on loopback"},
		"no port":                  {func(o *serve.Options) { o.TLS = "127.0.0.1" }, "HOST:PORT"},
		"fleet that would be lost": {func(o *serve.Options) { o.Fleet, o.StateDir = true, t.TempDir() }, "--fleet does not go with --state"},
		"no place for the CA":      {func(o *serve.Options) { o.CAFile = "/nowhere/ca.pem" }, "--ca: /nowhere/ca.pem cannot be written: no such file"},
		"a folder for the CA":      {func(o *serve.Options) { o.CAFile = t.TempDir() }, "name a file"},
		"state folder is a file":   {func(o *serve.Options) { o.StateDir = taken.ready.CA }, "--state"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			o := options(t)
			c.change(&o)
			_, err := serve.New(o)
			var wrong *serve.InputError
			g.Expect(errors.As(err, &wrong)).To(gomega.BeTrue(), "%v", err)
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.want)))
		})
	}
}
