package internet

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"windtunnel.test/sim/wire/hosts"
)

// Content is the content delivery network: files by path. Publishing is safe
// at any moment. The zero value has no files.
type Content struct {
	mu    sync.RWMutex
	files map[string]file
}

type file struct {
	body []byte
	size int64
}

// Publish puts a file up. size is the modelled size in bytes; where it is
// less than the body's, the body's counts.
func (c *Content) Publish(path string, body []byte, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = map[string]file{}
	}
	c.files[strings.ToLower(path)] = file{body: body, size: max(size, int64(len(body)))}
}

func (c *Content) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.RLock()
	f, ok := c.files[strings.ToLower(r.URL.Path)]
	c.mu.RUnlock()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
	case !ok:
		http.Error(w, "no such content: "+r.URL.Path, http.StatusNotFound)
	default:
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.Itoa(len(f.body)))
		h.Set(hosts.HeaderModelledSize, strconv.FormatInt(f.size, 10))
		if r.Method == http.MethodGet {
			_, _ = w.Write(f.body) // as above
		}
	}
}
