package mdm

import (
	"bytes"
	"context"
	"net/http"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// Values below the enrolment's key: our model.
const (
	archiveKey     = `\DiagnosticArchive`
	archiveResults = "ArchiveResults"
)

// diagnosticLog is the part of the DiagnosticLog CSP that collects and uploads
// (DiagnosticLog CSP, DiagnosticArchive). Whatever the server lists, the package
// is the one that Windows' own tool collects: our model. What a power cut
// interrupts is not taken up again.
var diagnosticLog = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode { return collectArchive(t, value) },
	exec: func(t target, value string) syncml.StatusCode {
		return collectArchive(t, value)
	},
	get: func(t target) (string, syncml.StatusCode) {
		if t.uri != csp.ArchiveResults {
			return "", syncml.NotFound
		}
		if v := t.w.Registry().String(enrollmentKey(t.w)+archiveKey, archiveResults); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
}

func collectArchive(t target, value string) syncml.StatusCode {
	if t.uri != csp.ArchiveDefinition || enrollmentKey(t.w) == "" {
		return syncml.CommandNotAllowed
	}
	archive, err := csp.ParseArchive(value)
	if err != nil {
		return syncml.CommandFailed
	}
	t.w.Service("diagnostic archive", func(ctx context.Context) { uploadArchive(t.w.Under(ctx), archive) })
	return syncml.OK
}

// uploadArchive collects the package and puts it where the server says
// (learn.microsoft.com/rest/api/storageservices, Put Blob).
func uploadArchive(w *device.Windows, a csp.Archive) {
	size, err := putArchive(w, a)
	if context.Cause(w.Ctx) != nil {
		return // the boot is over: nobody hears of it
	}
	code, outcome := hresult.OK, "ok"
	if err != nil {
		code, _ = hresult.CodeOf(err)
		outcome = err.Error()
	}
	result := csp.ArchiveResult{ID: a.ID, Result: uint32(code)}
	for _, d := range a.List {
		d.Result = uint32(code)
		result.List = append(result.List, d)
	}
	w.Registry().SetString(enrollmentKey(w)+archiveKey, archiveResults, result.Encode())
	w.Event("diagnostics.uploaded", journal.F("id", a.ID), journal.Loose("bytes", size), journal.F("outcome", outcome))
}

func putArchive(w *device.Windows, a csp.Archive) (size int, err error) {
	const op = "upload diagnostics"
	var zip bytes.Buffer
	if err := w.Collect(&zip); err != nil {
		return 0, hresult.New(op, hresult.Unexpected, err)
	}
	h := http.Header{"Content-Type": {"application/zip"}}
	h.Set("x-ms-blob-type", "BlockBlob")
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodPut, URL: a.SASURL, Header: h, Body: zip.Bytes()})
	if err != nil {
		return zip.Len(), err
	}
	if resp.Status != http.StatusCreated {
		return zip.Len(), hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	return zip.Len(), nil
}
