package hresult

import (
	"net/http"
	"strings"
)

// facilityHTTP is facility 25 with the severity bit. MDM registration's own codes 0x80190001 to 0x8019000E share it.
const facilityHTTP Code = 0x80190000

// FromHTTPStatus is what Windows' HTTP stack makes of an error status: 0x80190000 + n, so 404 is 0x80190194. It is meant
// for statuses 300 to 599; others have no symbol.
func FromHTTPStatus(n int) Code { return facilityHTTP + Code(uint16(n)) }

// HTTPStatus is the inverse of [FromHTTPStatus], for codes that hold a status from 300 to 599.
func (c Code) HTTPStatus() (int, bool) {
	n := int(c & 0xFFFF)
	return n, c&^0xFFFF == facilityHTTP && n >= 300 && n < 600
}

// The names that winerror.h gives where they are not the status text in capitals. Statuses younger than RFC 2616 have no
// symbol there.
var httpNames = map[int]string{
	http.StatusMultipleChoices:       "AMBIGUOUS",
	http.StatusMovedPermanently:      "MOVED",
	http.StatusFound:                 "REDIRECT",
	http.StatusSeeOther:              "REDIRECT_METHOD",
	http.StatusTemporaryRedirect:     "REDIRECT_KEEP_VERB",
	http.StatusUnauthorized:          "DENIED",
	http.StatusPaymentRequired:       "PAYMENT_REQ",
	http.StatusMethodNotAllowed:      "BAD_METHOD",
	http.StatusNotAcceptable:         "NONE_ACCEPTABLE",
	http.StatusProxyAuthRequired:     "PROXY_AUTH_REQ",
	http.StatusPreconditionFailed:    "PRECOND_FAILED",
	http.StatusRequestURITooLong:     "URI_TOO_LONG",
	http.StatusRequestEntityTooLarge: "REQUEST_TOO_LARGE",
	http.StatusUnsupportedMediaType:  "UNSUPPORTED_MEDIA",
	http.StatusInternalServerError:   "SERVER_ERROR",
	http.StatusNotImplemented:        "NOT_SUPPORTED",
	http.StatusServiceUnavailable:    "SERVICE_UNAVAIL",
}

var httpStatus = httpEntries()

func httpEntries() []Entry {
	var rows []Entry
	for n := 300; n < 600; n++ {
		text := http.StatusText(n)
		if text == "" {
			continue
		}
		rows = append(rows, Entry{FromHTTPStatus(n), httpSymbol(n, text), "the server answered " + text, pageWinError})
	}
	return rows
}

func httpSymbol(n int, text string) string {
	if name := httpNames[n]; name != "" {
		return "HTTP_E_STATUS_" + name
	}
	name := strings.NewReplacer(" ", "_", "-", "_", "'", "").Replace(text)
	if n <= 307 || 400 <= n && n <= 417 || 500 <= n && n <= 505 {
		return "HTTP_E_STATUS_" + strings.ToUpper(name)
	}
	return "http_status_" + strings.ToLower(name)
}
