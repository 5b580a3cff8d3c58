package adclient

import "github.com/miekg/dns"

// ReadOutside reads octets from outside in every way in which the locator does.
func ReadOutside(b []byte) {
	q := new(dns.Msg)
	if q.Unpack(b) == nil && len(q.Question) == 1 {
		if m := answerTo(q, b); m != nil {
			_ = targets(m)
		}
	}
	if a, err := pong(b); err == nil {
		_ = a.controller()
	}
}
