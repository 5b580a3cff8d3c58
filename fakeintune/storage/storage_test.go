package storage_test

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/storage"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// upload is a content file whose address was given out.
type upload struct {
	*rig.Rig
	h         *storage.Handler
	app, file string
	address   string
}

func newUpload(t testing.TB) *upload {
	t.Helper()
	u := &upload{Rig: rig.New(t)}
	u.h = storage.New(u.Service)
	u.Do(func(ctx context.Context) {
		app, err := u.Tenant.Apps().Add(ctx, graph.MobileApp{ODataType: graph.TypeWin32LobApp, DisplayName: "7-Zip"})
		if err != nil {
			t.Fatal(err)
		}
		u.app = app.ID
		if _, err := u.Tenant.NewContentVersion(app.ID); err != nil {
			t.Fatal(err)
		}
		f, err := u.Tenant.NewContentFile(app.ID, "1", graph.ContentFile{Name: "x.intunewin", Size: 10, SizeEncrypted: 64})
		if err != nil {
			t.Fatal(err)
		}
		u.file = f.ID
	})
	u.Pass(time.Minute)
	u.address = *u.state(t).AzureStorageURI
	return u
}

func (u *upload) state(t testing.TB) graph.ContentFile {
	t.Helper()
	f, err := u.Tenant.ContentFile(u.app, "1", u.file)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (u *upload) put(address, more, body string) (int, string) {
	rec := u.Call(u.h, http.MethodPut, address+more, http.Header{"X-Ms-Blob-Type": {"BlockBlob"}}, []byte(body), nil)
	var e struct{ Code string }
	_ = xml.Unmarshal(rec.Body.Bytes(), &e) // successes have no body
	return rec.Code, e.Code
}

func TestUpload(t *testing.T) {
	g := NewWithT(t)
	u := newUpload(t)
	ids := []string{base64.StdEncoding.EncodeToString([]byte("0000")), base64.StdEncoding.EncodeToString([]byte("0001"))}
	for i, id := range ids {
		code, _ := u.put(u.address, "&comp=block&blockid="+url.QueryEscape(id), fmt.Sprint(i))
		g.Expect(code).To(Equal(201))
	}
	code, _ := u.put(u.address, "&comp=blocklist", `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>`+ids[0]+`</Latest><Latest>`+ids[1]+`</Latest></BlockList>`)
	g.Expect(code).To(Equal(201))
	code, _ = u.put(u.address, "", "whole")
	g.Expect(code).To(Equal(201))
	u.Do(func(ctx context.Context) {
		g.Expect(u.Tenant.CommitUpload(ctx, u.app, "1", u.file, graph.FileEncryption{})).To(Succeed())
		g.Expect(u.Tenant.CommitUpload(ctx, u.app, "1", u.file, graph.FileEncryption{})).To(MatchError(tenant.ErrConflict))
	})
	_, name := u.put(u.address, "", "late")
	g.Expect(name).To(Equal("BlobImmutableDueToPolicy"))
	u.Pass(time.Minute)
	g.Expect(u.state(t).UploadState).To(Equal(graph.UploadCommitFailed), "the file is not what was announced")
}

func TestRefusals(t *testing.T) {
	g := NewWithT(t)
	u := newUpload(t)
	for name, c := range map[string]struct {
		address, more, body, code string
	}{
		"no signature":       {strings.Split(u.address, "?")[0], "?x=1", "", "AuthenticationFailed"},
		"another signature":  {strings.Replace(u.address, "sig=", "sig=x", 1), "", "", "AuthenticationFailed"},
		"a later end":        {strings.Replace(u.address, "se=20", "se=21", 1), "", "", "AuthenticationFailed"},
		"another file":       {strings.Replace(u.address, "/intunewin.bin", "/other.bin", 1), "", "", "AuthenticationFailed"},
		"no block id":        {u.address, "&comp=block", "x", "InvalidQueryParameterValue"},
		"an unknown block":   {u.address, "&comp=blocklist", "<BlockList><Latest>x</Latest></BlockList>", "InvalidBlockList"},
		"no XML":             {u.address, "&comp=blocklist", "<BlockList>", "InvalidXmlDocument"},
		"entities":           {u.address, "&comp=blocklist", `<!DOCTYPE x [<!ENTITY a "b">]><BlockList><Latest>&a;</Latest></BlockList>`, "InvalidXmlDocument"},
		"another element":    {u.address, "&comp=blocklist", "<BlockList><Evil>x</Evil></BlockList>", "InvalidXmlDocument"},
		"another operation":  {u.address, "&comp=metadata", "", "NotImplemented"},
		"a request too much": {u.address, "&comp=block&blockid=eA==", strings.Repeat(" ", 32<<20+1), "RequestBodyTooLarge"},
	} {
		refused := len(u.Refusals())
		_, code := u.put(c.address, c.more, c.body)
		g.Expect(code).To(Equal(c.code), name)
		g.Expect(u.Refusals()).To(HaveLen(refused+1), name)
	}
	g.Expect(u.Call(u.h, http.MethodGet, u.address, nil, nil, nil).Code).To(Equal(405))
	u.Do(func(ctx context.Context) { g.Expect(u.Other.Apps().Delete(ctx, u.app)).NotTo(Succeed()) })
	_, code := u.put(strings.Replace(u.address, u.Tenant.ID, u.Other.ID, 1), "", "x")
	g.Expect(code).To(Equal("AuthenticationFailed"), "an address is one tenant's")
	u.Pass(2 * time.Hour)
	_, code = u.put(u.address, "", "late")
	g.Expect(code).To(Equal("AuthenticationFailed"), "the address has expired")
	g.Expect(u.state(t).UploadState).To(Equal(graph.UploadURISuccess), "nothing was changed")
}

func TestUploadToADeletedApp(t *testing.T) {
	g := NewWithT(t)
	u := newUpload(t)
	u.Do(func(ctx context.Context) { g.Expect(u.Tenant.Apps().Delete(ctx, u.app)).To(Succeed()) })
	_, code := u.put(u.address, "", "x")
	g.Expect(code).To(Equal("BlobNotFound"))
}

func FuzzBlockList(f *testing.F) {
	f.Add([]byte(`<BlockList><Latest>QQ==</Latest><Uncommitted>QQ==</Uncommitted></BlockList>`))
	f.Add([]byte(`<!DOCTYPE a><BlockList>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ids, err := storage.ParseBlockList(body)
		if err != nil && ids != nil {
			t.Error("ids and an error")
		}
	})
}
