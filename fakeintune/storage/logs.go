package storage

import (
	"net/http"
	"strings"
	"sync/atomic"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/hosts"
)

// LogHost is the storage that devices upload diagnostics to.
const LogHost = hosts.LogUpload

// LogHandler answers for it: a package is put by one signed address and read by
// another.
type LogHandler struct {
	s        *tenant.Service
	requests atomic.Uint64
}

// NewLogs makes a handler over a service.
func NewLogs(s *tenant.Service) *LogHandler { return &LogHandler{s: s} }

func (h *LogHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := identify(w, r, h.s.RequestID("logs", h.requests.Add(1)))
	if err := h.serve(w, r); err != nil {
		refuse(h.s, w, r, id, err)
	}
}

func (h *LogHandler) serve(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet:
		data, err := h.s.Logs(r.URL.Path, query)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("x-ms-blob-type", "BlockBlob")
		_, _ = w.Write(data) // a client that went away is no error of the service
		return nil
	case r.Method != http.MethodPut:
		return &fault{http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support specified HTTP verb."}
	case query.Get("comp") != "":
		return &fault{http.StatusNotImplemented, "NotImplemented", "This operation of the storage is not modelled."}
	case !strings.EqualFold(r.Header.Get("x-ms-blob-type"), "BlockBlob"):
		return &fault{http.StatusBadRequest, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob."}
	}
	data, err := read(r, tenant.MaxLogs)
	if err != nil {
		return err
	}
	if err := h.s.ReceiveLogs(r.Context(), r.URL.Path, query, data); err != nil {
		return err
	}
	w.Header().Set("x-ms-request-server-encrypted", "true")
	w.WriteHeader(http.StatusCreated)
	return nil
}
