package graphfront

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/graph"
)

// echo answers with what it was asked. Addresses that hold "fail" fail, those
// that hold "busy" are throttled.
func echo(service string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(r.URL.Path, "fail"):
			w.WriteHeader(http.StatusNotFound)
		case strings.Contains(r.URL.Path, "busy"):
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case strings.Contains(r.URL.Path, "empty"):
			w.WriteHeader(http.StatusNoContent)
			return
		case strings.Contains(r.URL.Path, "photo"):
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write([]byte{0xff, 0xd8})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"service": service, "request": r.Method + " " + r.URL.RequestURI(), "body": string(body),
			"token": r.Header.Get("Authorization"), "level": r.Header.Get("ConsistencyLevel"), "host": r.Host})
	})
}

type answers struct {
	Responses []struct {
		ID      string            `json:"id"`
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"responses"`
}

func post(t testing.TB, f Front, version, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://graph.microsoft.com/"+version+"/$batch", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec
}

func TestBatch(t *testing.T) {
	g := gomega.NewWithT(t)
	f := Front{Intune: echo("intune"), Directory: echo("directory")}
	rec := post(t, f, "beta", `{"requests":[
		{"id":"1","method":"GET","url":"/users?$top=1&$filter=startswith(displayName,'A%20b')","headers":{"ConsistencyLevel":"eventual","Authorization":"Bearer other"}},
		{"id":"2","method":"post","url":"deviceManagement/windowsAutopilotSettings/sync","body":{"a":[1]},"headers":{"Content-Type":"application/json"}},
		{"id":"3","method":"GET","url":"https://graph.microsoft.com/beta/deviceManagement/empty"},
		{"id":"4","method":"GET","url":"/me/photo"},
		{"id":"5","method":"GET","url":"/users/busy"}]}`)
	g.Expect(rec.Code).To(gomega.Equal(200), rec.Body.String())
	var out answers
	g.Expect(json.Unmarshal(rec.Body.Bytes(), &out)).To(gomega.Succeed())
	g.Expect(out.Responses).To(gomega.HaveLen(5))
	body := func(i int) (m map[string]string) {
		g.Expect(json.Unmarshal(out.Responses[i].Body, &m)).To(gomega.Succeed())
		return m
	}
	g.Expect(body(0)).To(gomega.Equal(map[string]string{"service": "directory", "request": "GET /beta/users?$top=1&$filter=startswith(displayName,'A%20b')", "body": "",
		"token": "Bearer t", "level": "eventual", "host": "graph.microsoft.com"}))
	g.Expect(body(1)).To(gomega.HaveKeyWithValue("service", "intune"))
	g.Expect(body(1)).To(gomega.HaveKeyWithValue("body", `{"a":[1]}`))
	g.Expect(out.Responses[2].Status).To(gomega.Equal(204))
	g.Expect(out.Responses[2].Body).To(gomega.BeEmpty())
	g.Expect(string(out.Responses[3].Body)).To(gomega.Equal(`"/9g="`))
	g.Expect(out.Responses[4].Status).To(gomega.Equal(429))
	g.Expect(out.Responses[4].Headers).To(gomega.HaveKeyWithValue("Retry-After", "7"))
}

func TestBatchDependencies(t *testing.T) {
	g := gomega.NewWithT(t)
	var refused []string
	f := Front{Intune: echo("intune"), Directory: echo("directory"), Refused: func(_ context.Context, operation, check, code string) {
		refused = append(refused, operation+" "+check+" "+code)
	}}
	rec := post(t, f, "v1.0", `{"requests":[
		{"id":"c","method":"GET","url":"/users/c","dependsOn":["b"]},
		{"id":"b","method":"GET","url":"/users/fail","dependsOn":["a"]},
		{"id":"a","method":"GET","url":"/users/a"}]}`)
	var out answers
	g.Expect(json.Unmarshal(rec.Body.Bytes(), &out)).To(gomega.Succeed())
	var got []string
	for _, r := range out.Responses {
		got = append(got, fmt.Sprint(r.ID, r.Status))
	}
	g.Expect(got).To(gomega.Equal([]string{"a200", "b404", "c424"}))
	g.Expect(refused).To(gomega.Equal([]string{"GET /users/c dependsOn FailedDependency"}))
}

func TestEscapedAddressesInBatches(t *testing.T) {
	g := gomega.NewWithT(t)
	f := Front{Intune: echo("intune"), Directory: echo("directory")}
	for url, want := range map[string]string{"/users/a%2Fb": "/v1.0/users/a%2Fb", "/users('a%20b')?$top=1": "/v1.0/users('a%20b')?$top=1",
		"https://graph.microsoft.com/v1.0/users/%C3%A9": "/v1.0/users/%C3%A9", "/users/é ü": "/v1.0/users/%C3%A9%20%C3%BC"} {
		rec := post(t, f, "v1.0", `{"requests":[{"id":"1","method":"GET","url":"`+url+`"}]}`)
		g.Expect(rec.Body.String()).To(gomega.ContainSubstring(`"request":"GET `+want+`"`), url)
	}
}

func TestBadBatches(t *testing.T) {
	many := strings.Repeat(`{"id":"%d","method":"GET","url":"/users"},`, 21)
	for i := range 21 {
		many = strings.Replace(many, "%d", fmt.Sprint(i), 1)
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"empty":              {``, 400},
		"not JSON":           {`{`, 400},
		"a list":             {`[]`, 400},
		"no requests":        {`{"requests":[]}`, 400},
		"too many":           {`{"requests":[` + strings.TrimSuffix(many, ",") + `]}`, 400},
		"no id":              {`{"requests":[{"method":"GET","url":"/users"}]}`, 400},
		"an id twice":        {`{"requests":[{"id":"1","method":"GET","url":"/users"},{"id":"1","method":"GET","url":"/groups"}]}`, 400},
		"no method":          {`{"requests":[{"id":"1","url":"/users"}]}`, 400},
		"another method":     {`{"requests":[{"id":"1","method":"CONNECT","url":"/users"}]}`, 400},
		"no url":             {`{"requests":[{"id":"1","method":"GET"}]}`, 400},
		"another host":       {`{"requests":[{"id":"1","method":"GET","url":"https://evil.example/v1.0/users"}]}`, 400},
		"another host, bare": {`{"requests":[{"id":"1","method":"GET","url":"//evil.example/users"}]}`, 400},
		"another scheme":     {`{"requests":[{"id":"1","method":"GET","url":"file:///etc/passwd"}]}`, 400},
		"a batch, escaped":   {`{"requests":[{"id":"1","method":"POST","url":"/%24batch","body":{"requests":[]}}]}`, 400},
		"a batch in it":      {`{"requests":[{"id":"1","method":"POST","url":"/$batch","body":{"requests":[]}}]}`, 400},
		"depends on itself":  {`{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["1"]}]}`, 400},
		"a circle":           {`{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["2"]},{"id":"2","method":"GET","url":"/users","dependsOn":["1"]}]}`, 400},
		"depends on nothing": {`{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["9"]}]}`, 400},
		"too large":          {strings.Repeat(" ", maxBatch+1), 413},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			asked, refused := 0, 0
			count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ })
			f := Front{Intune: count, Directory: count, Refused: func(context.Context, string, string, string) { refused++ }}
			rec := post(t, f, "v1.0", c.body)
			g.Expect(rec.Code).To(gomega.Equal(c.status), rec.Body.String())
			var e graph.Error
			g.Expect(json.Unmarshal(rec.Body.Bytes(), &e)).To(gomega.Succeed())
			g.Expect(e.Error.Code).NotTo(gomega.BeEmpty())
			g.Expect(asked).To(gomega.BeZero(), "no part of it was done")
			g.Expect(refused).To(gomega.Equal(1))
		})
	}
}

func TestBatchNeedsMethodAndToken(t *testing.T) {
	g := gomega.NewWithT(t)
	f := Front{Intune: echo("i"), Directory: echo("d")}
	for _, c := range []struct {
		method, path, token, kind string
		status                    int
	}{
		{"GET", "/v1.0/$batch", "t", "", 405}, {"POST", "/v1.0/$batch", "", "", 401}, {"POST", "/v2.0/$batch", "t", "", 400}, {"POST", "/v1.0/$batch", "t", "text/xml", 415},
	} {
		r := httptest.NewRequest(c.method, "https://graph.microsoft.com"+c.path, strings.NewReader(`{"requests":[{"id":"1","method":"GET","url":"/users"}]}`))
		if c.token != "" {
			r.Header.Set("Authorization", c.token)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		g.Expect(rec.Code).To(gomega.Equal(c.status), c.method+c.path+c.kind)
	}
}

func TestPackedBodies(t *testing.T) {
	g := gomega.NewWithT(t)
	f := Front{Directory: echo("directory")}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, `{"a":1}`)
	g.Expect(z.Close()).To(gomega.Succeed())
	for _, c := range []struct {
		encoding, body string
		status         int
		want           string
	}{
		{"gzip", packed.String(), 200, `a\":1`}, {"GZIP", packed.String()[:12], 200, ""}, {"gzip", "plain", 400, "gzip"}, {"br", "x", 415, "encoding"}, {"", "x", 200, "x"},
	} {
		r := httptest.NewRequest(http.MethodPost, "https://graph.microsoft.com/v1.0/users", strings.NewReader(c.body))
		r.Header.Set("Content-Encoding", c.encoding)
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		g.Expect(rec.Code).To(gomega.Equal(c.status), c.encoding)
		g.Expect(rec.Body.String()).To(gomega.ContainSubstring(c.want))
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(`{"requests":[{"id":"1","method":"GET","url":"/users?$top=1"}]}`)
	f.Add(`{"requests":[{"id":"a","method":"POST","url":"deviceManagement/x","body":{"a":1},"dependsOn":["b"]},{"id":"b","method":"GET","url":"%zz"}]}`)
	front := Front{Intune: echo("i"), Directory: echo("d")}
	f.Fuzz(func(t *testing.T, body string) {
		rec := post(t, front, "v1.0", body)
		if !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%q: %d %s", body, rec.Code, rec.Body)
		}
	})
}
