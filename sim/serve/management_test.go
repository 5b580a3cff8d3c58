package serve_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/serve"
)

func TestManagementRefuses(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		method, path, body, header string
		status                     int
		want                       string
	}{
		"a page of another site":      {"GET", "/v1/state", "", "Origin: https://evil.example", 403, "browser"},
		"a sandboxed page":            {"POST", "/v1/reset", "", "Origin: null", 403, "browser"},
		"a page without Origin":       {"GET", "/v1/ready", "", "Sec-Fetch-Site: cross-site", 403, "browser"},
		"DNS rebinding":               {"GET", "/v1/ready", "", "Host: evil.example", 421, "evil.example"},
		"DNS rebinding with our port": {"GET", "/v1/ready", "", "Host: evil.example:80", 421, "evil.example"},
		"a form":                      {"POST", "/v1/clock", `{"jump":"1h"}`, "Content-Type: text/plain", 415, "application/json"},
		"no such path":                {"GET", "/v2/ready", "", "", 404, "/v1/journal"},
		"no such method":              {"DELETE", "/v1/clock", "", "", 405, "GET, POST"},
		"preflight":                   {"OPTIONS", "/v1/clock", "", "", 405, "GET, POST"},
		"too long":                    {"POST", "/v1/faults", `"` + strings.Repeat("x", 1<<20) + `"`, "", 413, "1048576"},
		"too long, as JSON":           {"POST", "/v1/clock", `"` + strings.Repeat("x", 1<<20) + `"`, "", 413, "1048576"},
		"since":                       {"GET", "/v1/journal?since=-1", "", "", 400, "since"},
		"wait":                        {"GET", "/v1/journal?wait=2h", "", "", 400, "at most 1m"},
		"limit":                       {"GET", "/v1/journal?limit=0", "", "", 400, "from 1 to"},
		"unknown parameter":           {"GET", "/v1/journal?knd=x", "", "", 400, "knd"},
		"no jump":                     {"POST", "/v1/clock", `{}`, "", 400, "say how far"},
		"unknown member":              {"POST", "/v1/clock", `{"jmp":"1h"}`, "", 400, "jmp"},
		"two values":                  {"POST", "/v1/clock", `{"jump":"1h"}{}`, "", 400, "more than one"},
		"cut off":                     {"POST", "/v1/clock", `{"jump":"1h"`, "", 400, "EOF"},
		"jump back":                   {"POST", "/v1/clock", `{"jump":"-1h"}`, "", 400, "forward only"},
		"jump far":                    {"POST", "/v1/clock", `{"jump":"876000h"}`, "", 400, "at most"},
		"jump of no length":           {"POST", "/v1/clock", `{"jump":"soon"}`, "", 400, "duration"},
		"a query cut off":             {"GET", "/v1/journal?kind=%zz", "", "", 400, "invalid URL escape"},
		"a number":                    {"POST", "/v1/clock", `{"jump":10}`, "", 400, "jump: want a string, have a number"},
		"a list":                      {"POST", "/v1/clock", `[]`, "", 400, "want an object, have an array"},
		"a rule without a name":       {"POST", "/v1/faults", `{"name":"","do":{"drop":true}}`, "", 400, "mistakes"},
		"no such rule":                {"DELETE", "/v1/faults/none", "", "", 404, "none"},
		"no state":                    {"PUT", "/v1/state", `{}`, "", 400, "no exported state"},
		"state of another form":       {"PUT", "/v1/state", `{"windtunnel":"state/9","tenantId":"","store":{}}`, "", 400, "state/9"},
		"state of another tenant":     {"PUT", "/v1/state", `{"windtunnel":"state/1","tenantId":"x","store":{}}`, "", 409, "tenant x"},
		"state without a store":       {"PUT", "/v1/state", `{"windtunnel":"state/1","tenantId":"` + s.ready.TenantID + `","store":7}`, "", 400, "cannot work"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			var header []string
			if c.header != "" {
				header = append(header, c.header)
			}
			status, answer := s.ask(c.method, c.path, c.body, header...)
			g.Expect(status).To(gomega.Equal(c.status), answer)
			var body struct{ Error string }
			g.Expect(json.Unmarshal([]byte(answer), &body)).To(gomega.Succeed())
			g.Expect(body.Error).To(gomega.ContainSubstring(c.want))
		})
	}
	var clock struct{ Offset string }
	s.must(http.MethodGet, "/v1/clock", "", &clock)
	s.Expect(clock.Offset).To(gomega.Equal("0s"))
	s.Expect(s.groups()).To(gomega.ContainSubstring("Staff"), "nothing has changed")
}

// Without --management there is no listener, and the services know none of its
// paths.
func TestManagementIsOffUnlessAskedFor(t *testing.T) {
	s := start(t, func(o *serve.Options) { o.Management = "" })
	s.Expect(s.ready.Management).To(gomega.BeEmpty())
	status, _ := s.graph(http.MethodGet, "/v1/state", "")
	s.Expect(status).NotTo(gomega.Equal(http.StatusOK))
}

func TestFaultRules(t *testing.T) {
	s := start(t)
	const busy = `{"name":"busy","when":{"host":"graph.microsoft.com","nth":2},"do":{"status":503,"retryAfter":"9s"}}`
	type rules struct{ Faults []struct{ Name string } }
	var list rules
	s.must(http.MethodPost, "/v1/faults", busy, &list)
	s.Expect(list.Faults).To(gomega.HaveLen(1))
	status, answer := s.ask(http.MethodPost, "/v1/faults", busy)
	s.Expect(status).To(gomega.Equal(http.StatusConflict), answer)

	status, _ = s.graph(http.MethodGet, "/groups", "")
	s.Expect(status).To(gomega.Equal(http.StatusOK))
	status, answer = s.ask(http.MethodPost, "/v1/faults", "- name: slow\n  do: {delay: 1ms}\n- name: odd\n  do: {delay: sometimes}\n", "Content-Type: application/yaml")
	s.Expect(status).To(gomega.Equal(http.StatusBadRequest))
	var refused struct {
		Problems []struct {
			Line, Col int
			Message   string
		}
	}
	s.Expect(json.Unmarshal([]byte(answer), &refused)).To(gomega.Succeed())
	s.Expect(refused.Problems).NotTo(gomega.BeEmpty())
	s.Expect(refused.Problems[len(refused.Problems)-1].Line).To(gomega.Equal(4), answer)
	s.must(http.MethodPost, "/v1/faults", `[{"name":"slow","do":{"delay":"1ms"}}]`, &list)
	s.Expect(list.Faults).To(gomega.HaveLen(2))

	status, _ = s.graph(http.MethodGet, "/groups", "")
	s.Expect(status).To(gomega.Equal(http.StatusServiceUnavailable), "rules that come leave the others' counts alone")
	s.must(http.MethodDelete, "/v1/faults/busy", "", nil)
	s.must(http.MethodGet, "/v1/faults", "", &list)
	s.Expect(list.Faults).To(gomega.HaveLen(1))
	s.must(http.MethodDelete, "/v1/faults", "", nil)
	s.must(http.MethodGet, "/v1/faults", "", &list)
	s.Expect(list.Faults).To(gomega.BeEmpty())
}

type journalPage struct {
	Events []struct {
		Seq    uint64
		Kind   string
		Fields map[string]any
	}
	Next uint64
}

// Whoever waits for an event gets it when it happens, and an end of the server
// ends the wait.
func TestJournalCanBeWaitedFor(t *testing.T) {
	s := start(t)
	got := make(chan journalPage, 1)
	go func() {
		defer close(got)
		resp, err := http.Get(s.ready.Management + "/v1/journal?kind=refused&wait=1m")
		if err != nil {
			return
		}
		defer resp.Body.Close()
		var p journalPage
		if json.NewDecoder(resp.Body).Decode(&p) == nil {
			got <- p
		}
	}()
	resp, err := s.client.Get("https://graph.microsoft.com/v1.0/groups")
	s.Expect(err).NotTo(gomega.HaveOccurred())
	s.Expect(resp.Body.Close()).To(gomega.Succeed())
	s.Expect(resp.StatusCode).To(gomega.Equal(http.StatusUnauthorized))
	p := <-got
	s.Expect(p.Events).To(gomega.HaveLen(1))
	s.Expect(p.Events[0].Fields).To(gomega.HaveKey("check"))

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := http.Get(s.ready.Management + "/v1/journal?kind=never&wait=1m"); err == nil {
			resp.Body.Close()
		}
	}()
	s.Expect(s.server.Close()).To(gomega.Succeed())
	<-ended
}

func TestResetExportImport(t *testing.T) {
	s := start(t)
	s.addGroup("Kept")
	s.must(http.MethodPost, "/v1/clock", `{"jump":"2h"}`, nil)
	_, state := s.ask(http.MethodGet, "/v1/state", "")
	s.must(http.MethodPost, "/v1/faults", `{"name":"slow","do":{"delay":"1ms"}}`, nil)
	s.must(http.MethodPost, "/v1/reset", "", nil)
	s.Expect(s.groups()).NotTo(gomega.ContainSubstring("Kept"))
	s.Expect(s.groups()).To(gomega.ContainSubstring("Staff"))
	_, faults := s.ask(http.MethodGet, "/v1/faults", "")
	s.Expect(faults).NotTo(gomega.ContainSubstring("slow"), "rules are the scenario's again")
	var clock struct{ Now, Real time.Time }
	s.must(http.MethodGet, "/v1/clock", "", &clock)
	s.Expect(clock.Now.Sub(clock.Real).Round(time.Minute)).To(gomega.Equal(2*time.Hour), "business time does not go back")

	s.must(http.MethodPut, "/v1/state", state, nil)
	s.Expect(s.groups()).To(gomega.ContainSubstring("Kept"))

	// What does not fit changes nothing.
	var content struct{ Store struct{ Seq json.Number } }
	s.Expect(json.Unmarshal([]byte(state), &content)).To(gomega.Succeed())
	seq := content.Store.Seq.String()
	for _, c := range []struct{ old, new string }{
		{`"name":"entra.groups"`, `"name":"entra.nothing"`},
		{`"displayName":"Kept"`, `"displayName":["Kept"]`},
		{`"version":1`, `"version":2`},
		{`"seq":` + seq, `"seq":18446744073709551615`},
		{`"ahead":7200000000000`, `"ahead":-1`},
		{`"ahead":7200000000000`, `"ahead":9223372036854775807`},
		{`"since":"20`, `"since":"00`},
	} {
		s.Expect(state).To(gomega.ContainSubstring(c.old))
		status, answer := s.ask(http.MethodPut, "/v1/state", strings.Replace(state, c.old, c.new, 1))
		s.Expect(status).To(gomega.Equal(http.StatusBadRequest), answer)
		s.Expect(s.groups()).To(gomega.ContainSubstring("Kept"))
	}
	s.addGroup("Later") // and it goes on from there, with ids of its own
	s.Expect(s.groups()).To(gomega.And(gomega.ContainSubstring("Kept"), gomega.ContainSubstring("Later")))

	// Another server of the same tenant takes it up.
	other := start(t)
	other.must(http.MethodPut, "/v1/state", state, nil)
	other.Expect(other.groups()).To(gomega.ContainSubstring("Kept"))
}
