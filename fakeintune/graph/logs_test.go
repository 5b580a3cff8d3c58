package graph_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/csp"
	wire "windtunnel.test/sim/wire/graph"
)

// put and get talk to the storage of diagnostics.
func (a *admin) storage(method, url string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, bytes.NewReader(body))
	r.Header.Set("x-ms-blob-type", "BlockBlob")
	w := httptest.NewRecorder()
	storage.NewLogs(a.Service).ServeHTTP(w, r)
	return w
}

// archive is what the device is told by the collection that is pending.
func (a *admin) archive(g *WithT, device string) csp.Archive {
	for _, p := range a.Tenant.Pending(device) {
		if p.Name == tenant.ActionLogs {
			archive, err := csp.ParseArchive(p.Document)
			g.Expect(err).NotTo(HaveOccurred())
			return archive
		}
	}
	return csp.Archive{}
}

func TestLogCollections(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledWhiteGlove)
	path := devices + "/" + m.ID
	var first, second wire.LogCollection
	a.call(400, "POST", path+"/createDeviceLogCollectionRequest", []byte(`{"templateType":{"templateType":"all"}}`), nil)
	a.call(404, "POST", devices+"/none/createDeviceLogCollectionRequest", nil, nil)
	a.call(200, "POST", path+"/createDeviceLogCollectionRequest", []byte(`{"templateType":{"@odata.type":"microsoft.graph.deviceLogCollectionRequest","templateType":"predefined"}}`), &first)
	g.Expect(first.Status).To(Equal(wire.LogsPending))
	g.Expect(first.ExpirationDateTimeUTC.Sub(first.RequestedDateTimeUTC.Time).Round(time.Hour)).To(Equal(28 * 24 * time.Hour))
	a.call(200, "POST", path+"/createDeviceLogCollectionRequest", nil, &second)

	var shown wire.ManagedDevice
	a.call(200, "GET", path, nil, &shown)
	g.Expect(shown.DeviceActionResults).To(BeEmpty(), "a log collection is no remote action")
	a.call(404, "POST", path+"/logCollectionRequests/"+second.ID+"/createDownloadUrl", nil, nil)

	archive := a.archive(g, m.ID)
	g.Expect(second.ID).To(Equal(m.ID + "_" + archive.ID))
	g.Expect(archive.SASURL).To(HavePrefix("https://lgmsapeweu.blob.core.windows.net/"))
	g.Expect(a.storage(http.MethodGet, archive.SASURL, nil).Code).To(Equal(http.StatusForbidden), "the address is for writing")
	g.Expect(a.storage(http.MethodPut, strings.Replace(archive.SASURL, "sig=", "sig=x", 1), []byte("zip")).Code).To(Equal(http.StatusForbidden))
	g.Expect(a.storage(http.MethodDelete, archive.SASURL, nil).Code).To(Equal(http.StatusMethodNotAllowed))
	g.Expect(a.storage(http.MethodPut, archive.SASURL+"&comp=block", nil).Code).To(Equal(http.StatusNotImplemented))
	g.Expect(a.storage(http.MethodPut, archive.SASURL, []byte("zip")).Code).To(Equal(http.StatusCreated))

	var list struct{ Value []wire.LogCollection }
	a.call(200, "GET", path+"/logCollectionRequests", nil, &list)
	g.Expect(list.Value).To(HaveLen(2))
	states := map[string]wire.LogStatus{}
	for _, l := range list.Value {
		states[l.ID] = l.Status
	}
	g.Expect(states).To(Equal(map[string]wire.LogStatus{first.ID: wire.LogsFailed, second.ID: wire.LogsCompleted}), "the newer one takes the place of one that waits")

	var link struct{ Value string }
	a.call(200, "POST", path+"/logCollectionRequests/"+second.ID+"/createDownloadUrl", nil, &link)
	got := a.storage(http.MethodGet, link.Value, nil)
	g.Expect(got.Code).To(Equal(http.StatusOK))
	g.Expect(got.Body.String()).To(Equal("zip"))
	g.Expect(a.storage(http.MethodPut, link.Value, []byte("other")).Code).To(Equal(http.StatusForbidden), "that address is for reading")

	a.call(204, "DELETE", path+"/logCollectionRequests/"+second.ID, nil, nil)
	a.call(404, "GET", path+"/logCollectionRequests/"+second.ID, nil, nil)
	g.Expect(a.storage(http.MethodGet, link.Value, nil).Code).To(Equal(http.StatusNotFound))
}

func TestLogCollectionsExpire(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledWhiteGlove)
	a.call(200, "POST", devices+"/"+m.ID+"/createDeviceLogCollectionRequest", nil, nil)
	archive := a.archive(g, m.ID)
	a.Do(func(ctx context.Context) {
		g.Expect(a.Clock.Sleep(ctx, timing.Default().Autopilot.DiagnosticsRetention, "a month")).To(Succeed())
	})
	g.Expect(a.Tenant.LogCollections(m.ID)).To(BeEmpty())
	g.Expect(a.storage(http.MethodPut, archive.SASURL, []byte("zip")).Code).To(Equal(http.StatusForbidden))
}

func TestFailedDeploymentIsCollectedOnce(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledWhiteGlove)
	broken := func(code int) func(*tenant.ManagedDevice) {
		return func(m *tenant.ManagedDevice) { m.Apps = []tenant.AppState{{AppID: "app", Error: hresult.Code(code)}} }
	}
	a.update(m.ID, broken(0))
	g.Expect(a.Tenant.LogCollections(m.ID)).To(BeEmpty())
	a.update(m.ID, broken(5))
	a.update(m.ID, broken(0))
	a.update(m.ID, broken(6))
	g.Expect(a.Tenant.LogCollections(m.ID)).To(HaveLen(1))
	g.Expect(a.Tenant.LogCollections(m.ID)[0].By).To(Equal(tenant.Automatic))
}
