package storage_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

func TestLogStorage(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	h := storage.NewLogs(r.Service)
	var device tenant.ManagedDevice
	var waiting tenant.LogCollection
	r.Do(func(ctx context.Context) {
		var err error
		device, err = r.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{SerialNumber: "A1", AzureADDeviceID: "a-device"}})
		g.Expect(err).NotTo(HaveOccurred())
		waiting, err = r.Tenant.RequestLogs(ctx, device.ID, "admin@contoso.com")
		g.Expect(err).NotTo(HaveOccurred())
	})
	archive, err := csp.ParseArchive(r.Tenant.Pending(device.ID)[0].Document)
	g.Expect(err).NotTo(HaveOccurred())
	ask := func(method, url string, body []byte, blob string) *httptest.ResponseRecorder {
		req, w := httptest.NewRequest(method, url, bytes.NewReader(body)), httptest.NewRecorder()
		req.Header.Set("x-ms-blob-type", blob)
		h.ServeHTTP(w, req)
		return w
	}
	for _, bad := range []struct {
		method, url, blob, code string
		body                    []byte
	}{
		{"PUT", strings.Replace(archive.SASURL, "sig=", "sig=A", 1), "BlockBlob", "AuthenticationFailed", nil},
		{"PUT", strings.Replace(archive.SASURL, "se=20", "se=21", 1), "BlockBlob", "AuthenticationFailed", nil},
		{"PUT", archive.SASURL, "PageBlob", "InvalidHeaderValue", nil},
		{"PUT", archive.SASURL + "&comp=block", "BlockBlob", "NotImplemented", nil},
		{"PUT", archive.SASURL, "BlockBlob", "RequestBodyTooLarge", make([]byte, tenant.MaxLogs+1)},
		{"DELETE", archive.SASURL, "BlockBlob", "UnsupportedHttpVerb", nil},
		{"GET", archive.SASURL, "BlockBlob", "AuthenticationFailed", nil},
	} {
		w := ask(bad.method, bad.url, bad.body, bad.blob)
		g.Expect(w.Header().Get("x-ms-error-code")).To(Equal(bad.code), "%s %s", bad.method, bad.url)
		g.Expect(w.Body.String()).To(ContainSubstring("<Code>" + bad.code + "</Code>"))
	}
	g.Expect(ask("PUT", archive.SASURL, []byte("zip"), "BlockBlob").Code).To(Equal(http.StatusCreated))
	link, err := r.Tenant.LogDownload(device.ID, waiting.ID)
	g.Expect(err).NotTo(HaveOccurred())
	got := ask("GET", link, nil, "")
	g.Expect(got.Body.String()).To(Equal("zip"))
	g.Expect(got.Header().Get("Content-Type")).To(Equal("application/zip"))
	r.Pass(29 * 24 * time.Hour)
	g.Expect(ask("GET", link, nil, "").Code).To(Equal(http.StatusForbidden), "neither the address nor the package is good for ever")
}
