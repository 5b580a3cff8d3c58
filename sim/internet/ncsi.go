package internet

import (
	"io"
	"net/http"
)

// ConnectTestBody is what Windows expects of www.msftconnecttest.com
// (learn.microsoft.com, "NCSI overview").
const ConnectTestBody = "Microsoft Connect Test"

// NCSI answers the connectivity test. Its zero value works.
type NCSI struct{}

func (NCSI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/connecttest.txt" {
		http.Error(w, "the connectivity test is /connecttest.txt", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, ConnectTestBody) // a peer that hung up has no use for an error
}
