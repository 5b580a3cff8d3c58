package internet

import (
	"net/http"
	"sync"

	"windtunnel.test/sim/wire/ekcert"
)

// EKHost is the host of a firmware TPM's vendor that has the certificates of
// endorsement keys, each at the digest of its key. Publishing is safe at any
// moment. The zero value has none; a key that it does not know is a 404.
type EKHost struct {
	Name string // the host's, which says what form requests and answers have

	mu           sync.RWMutex
	certificates map[string]func() ([]byte, error)
}

// Publish puts a certificate up under the path of its key; der is asked when
// the certificate is.
func (h *EKHost) Publish(path string, der func() ([]byte, error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.certificates == nil {
		h.certificates = map[string]func() ([]byte, error){}
	}
	h.certificates[path] = der
}

func (h *EKHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.RLock()
	der, ok := h.certificates[r.URL.Path]
	h.mu.RUnlock()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	case !ok:
		http.Error(w, "no certificate for this key", http.StatusNotFound)
		return
	}
	cert, err := der()
	if err == nil {
		var contentType string
		var body []byte
		if contentType, body, err = ekcert.WriteAnswer(h.Name, r.URL.Path, cert); err == nil {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(body) // a peer that hung up has no use for an error
			return
		}
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// OperationEK names a request to an EK host for journals and fault rules.
func OperationEK(*http.Request) string { return "ek.certificate" }
