package storage

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/hosts"
)

// Host is the name that the storage answers under.
const Host = hosts.IntuneStorage

// Bounds of a request.
const (
	maxBody      = 32 << 20
	maxBlockList = 4 << 20
	maxBlockID   = 64 // bytes before base64, the same for all blocks of a blob
)

// Handler answers for the storage.
type Handler struct {
	s        *tenant.Service
	requests atomic.Uint64
}

// New makes a handler over a service.
func New(s *tenant.Service) *Handler { return &Handler{s: s} }

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	if comp := r.URL.Query().Get("comp"); comp != "" {
		return r.Method + " " + comp
	}
	return r.Method + " blob"
}

// fault is an answer that is not a success, with a code of Azure Storage
// (learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
type fault struct {
	status        int
	code, message string
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := identify(w, r, h.s.RequestID("storage", h.requests.Add(1)))
	if err := h.put(r); err != nil {
		refuse(h.s, w, r, id, err)
		return
	}
	w.Header().Set("x-ms-request-server-encrypted", "true")
	w.WriteHeader(http.StatusCreated)
}

// identify writes the headers that every answer has.
func identify(w http.ResponseWriter, r *http.Request, id string) string {
	w.Header().Set("x-ms-request-id", id)
	w.Header().Set("x-ms-version", "2021-12-02")
	if client := r.Header.Get("x-ms-client-request-id"); client != "" && len(client) <= 1024 {
		w.Header().Set("x-ms-client-request-id", client)
	}
	return id
}

// refuse answers with an error, in the form of Azure Storage.
func refuse(s *tenant.Service, w http.ResponseWriter, r *http.Request, id string, err error) {
	f := asFault(err)
	s.Refused(r.Context(), "storage", Operation(r), f.code, strconv.Itoa(f.status)+" "+f.code)
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: f.code, Message: f.message + "\nRequestId:" + id})
	if err != nil {
		http.Error(w, f.code, f.status)
		return
	}
	w.Header().Set("x-ms-error-code", f.code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	_, _ = w.Write(append([]byte(xml.Header), body...)) // a client that went away is no error of the service
}

func asFault(err error) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, tenant.ErrSignature):
		return &fault{http.StatusForbidden, "AuthenticationFailed", "Server failed to authenticate the request. Make sure the value of the signature is formed correctly and has not expired."}
	case errors.Is(err, tenant.ErrNotFound):
		return &fault{http.StatusNotFound, "BlobNotFound", "The specified blob does not exist."}
	case errors.Is(err, tenant.ErrConflict):
		return &fault{http.StatusConflict, "BlobImmutableDueToPolicy", "The blob is committed."}
	case errors.Is(err, tenant.ErrInvalid):
		return &fault{http.StatusBadRequest, "InvalidBlockList", err.Error()}
	}
	return &fault{http.StatusInternalServerError, "InternalError", "The server encountered an internal error."}
}

func (h *Handler) put(r *http.Request) error {
	query := r.URL.Query()
	blob, err := h.s.Blob(r.URL.Path, query)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPut {
		return &fault{http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support specified HTTP verb."}
	}
	switch query.Get("comp") {
	case "block":
		id := query.Get("blockid")
		if id == "" || len(id) > maxBlockID*2 {
			return &fault{http.StatusBadRequest, "InvalidQueryParameterValue", "blockid is missing or too long."}
		}
		data, err := read(r, maxBody)
		if err != nil {
			return err
		}
		return blob.PutBlock(id, data)
	case "blocklist":
		data, err := read(r, maxBlockList)
		if err != nil {
			return err
		}
		ids, err := ParseBlockList(data)
		if err != nil {
			return &fault{http.StatusBadRequest, "InvalidXmlDocument", "The specified XML is not syntactically valid."}
		}
		return blob.PutBlockList(ids)
	case "":
		if !strings.EqualFold(r.Header.Get("x-ms-blob-type"), "BlockBlob") {
			return &fault{http.StatusBadRequest, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob."}
		}
		data, err := read(r, maxBody)
		if err != nil {
			return err
		}
		if err := blob.PutBlock("whole", data); err != nil {
			return err
		}
		return blob.PutBlockList([]string{"whole"})
	}
	return &fault{http.StatusNotImplemented, "NotImplemented", "This operation of the storage is not modelled."}
}

func read(r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, &fault{http.StatusBadRequest, "InvalidInput", "The request could not be read."}
	case int64(len(data)) > limit:
		return nil, &fault{http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large."}
	}
	return data, nil
}

// ParseBlockList reads the body of Put Block List: ids of blocks, in order.
func ParseBlockList(body []byte) ([]string, error) {
	var list struct {
		XMLName xml.Name `xml:"BlockList"`
		Blocks  []struct {
			XMLName xml.Name
			ID      string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	ids := make([]string, len(list.Blocks))
	for i, b := range list.Blocks {
		switch b.XMLName.Local {
		case "Latest", "Uncommitted", "Committed":
			ids[i] = strings.TrimSpace(b.ID)
		default:
			return nil, errors.New("storage: " + b.XMLName.Local + " is not an element of a block list")
		}
	}
	return ids, nil
}
