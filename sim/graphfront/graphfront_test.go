package graphfront

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/graph"
)

func answer(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestRoutes(t *testing.T) {
	g := gomega.NewWithT(t)
	f := Front{Intune: answer("intune"), Directory: answer("directory")}
	for path, want := range map[string]string{
		"/v1.0/deviceManagement/managedDevices": "intune", "/beta/DEVICEMANAGEMENT/x('1')": "intune", "/beta/deviceAppManagement/mobileApps": "intune",
		"/v1.0/users": "directory", "/v1.0/groups('a')/members": "directory", "/": "directory",
	} {
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://graph.microsoft.com"+path, nil))
		g.Expect(rec.Body.String()).To(gomega.Equal(want), path)
	}
}

func TestEveryAnswerIsNamed(t *testing.T) {
	g := gomega.NewWithT(t)
	n := 0
	f := Front{Directory: answer("directory"), Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string {
		n++
		return strconv.Itoa(n)
	}}
	for i, path := range []string{"users", "deviceManagement/x", "$batch"} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "https://graph.microsoft.com/v1.0/"+path, nil)
		r.Header.Set("client-request-id", "mine")
		f.ServeHTTP(rec, r)
		g.Expect(rec.Header().Get("request-id")).To(gomega.Equal(strconv.Itoa(i + 1)))
		g.Expect(rec.Header().Get("client-request-id")).To(gomega.Equal("mine"))
		g.Expect(rec.Header().Get("x-ms-ags-diagnostic")).To(gomega.ContainSubstring("ServerInfo"))
		g.Expect(rec.Header().Get("Date")).To(gomega.Equal("Thu, 01 Jan 1970 00:00:00 GMT"))
	}
}

func TestNobodyAnswers(t *testing.T) {
	g := gomega.NewWithT(t)
	rec := httptest.NewRecorder()
	Front{}.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://graph.microsoft.com/v1.0/users", nil))
	g.Expect(rec.Code).To(gomega.Equal(http.StatusNotImplemented))
	var body graph.Error
	g.Expect(json.Unmarshal(rec.Body.Bytes(), &body)).To(gomega.Succeed())
	g.Expect(body.Error.Code).To(gomega.Equal("NotImplemented"))
}

func TestOperation(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(Operation(httptest.NewRequest(http.MethodGet, "https://g/v1.0/deviceManagement/managedDevices/1/x", nil))).
		To(gomega.Equal("GET v1.0/devicemanagement/manageddevices/..."))
}
