package vnet

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// recorder is the ResponseWriter that handlers get in every home. It completes an answer as net/http's server does, so
// that a handler cannot tell the homes apart; only the Date is virtual. Bodies are collected whole: Flush does nothing.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was at WriteHeader
	status int
	body   bytes.Buffer
	noBody bool
}

func newRecorder(now time.Time) *recorder {
	h := make(http.Header, 4)
	h["Date"] = []string{httpDate(now)}
	return &recorder{header: h}
}

func (r *recorder) Header() http.Header { return r.header }

// WriteHeader fixes status and header. Informational ones (1xx) are not modelled and pass unnoticed.
func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || status >= 100 && status < 200 {
		return
	}
	r.status, r.sent = status, r.header.Clone()
	// RFC 9110 6.4.1: neither of them has content.
	r.noBody = status == http.StatusNoContent || status == http.StatusNotModified
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.noBody {
		return 0, http.ErrBodyNotAllowed
	}
	return r.body.Write(p)
}

func (r *recorder) WriteString(s string) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.noBody {
		return 0, http.ErrBodyNotAllowed
	}
	return r.body.WriteString(s)
}

// Flush is there because handlers ask for it.
func (r *recorder) Flush() {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
}

// finish is the answer once the handler has returned.
func (r *recorder) finish(method string) *answer {
	if r.status == 0 {
		r.status, r.sent = http.StatusOK, r.header
	}
	h, body := r.sent, r.body.Bytes()
	if r.noBody {
		delete(h, "Content-Length")
		return &answer{status: r.status, header: h}
	}
	if _, set := h["Content-Type"]; !set && len(body) > 0 && h.Get("Content-Encoding") == "" {
		h["Content-Type"] = []string{http.DetectContentType(body)}
	}
	if method == http.MethodHead {
		if len(body) > 0 && h.Get("Content-Length") == "" {
			h["Content-Length"] = []string{strconv.Itoa(len(body))}
		}
		return &answer{status: r.status, header: h}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	return &answer{status: r.status, header: h, body: body}
}

// replay writes a finished answer to a real ResponseWriter.
func (a *answer) replay(w http.ResponseWriter) error {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if len(a.body) == 0 {
		return nil
	}
	_, err := w.Write(a.body)
	return err
}

// httpDate formats a Date header (RFC 9110 5.6.7). Many exchanges fall into one virtual second, so the last one is kept.
func httpDate(now time.Time) string {
	if d := lastDate.Load(); d != nil && d.unix == now.Unix() {
		return d.text
	}
	d := &dateText{now.Unix(), now.UTC().Format(http.TimeFormat)}
	lastDate.Store(d)
	return d.text
}

type dateText struct {
	unix int64
	text string
}

var lastDate atomic.Pointer[dateText]

// hopByHop headers belong to one connection and not to the message (RFC 9110 7.6.1); they don't reach the other side.
var hopByHop = []string{"Keep-Alive", "Transfer-Encoding", "Te", "Upgrade", "Trailer"}

func dropHopByHop(h http.Header) {
	for k := range h {
		if slices.Contains(hopByHop, k) {
			delete(h, k)
		}
	}
}
