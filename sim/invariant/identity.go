package invariant

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/device"
)

const (
	tokens = device.KeyIdentityStore + `\Tokens`
	prt    = device.KeyIdentityStore + `\PRT`
)

var identityRules = []Invariant{
	{"enrolment-needs-a-token", "Intune enrols a PC whose user has just signed in, or that has a token of its own for the enrolment service, and the token is good", func(l *look) string {
		if l.pc == nil || l.Kind != "mdm.enrolled.server" {
			return ""
		}
		if upn := l.Text("upn"); upn != "" && l.m.users[upn] {
			return "" // by the user's token, which nobody keeps
		}
		r, best := l.pc.Disk.Registry, time.Time{}
		for _, resource := range r.Subkeys(tokens) {
			if !strings.Contains(resource, "enrollment.manage") {
				continue
			}
			if t, ok := expires(r.String(tokens+`\`+resource, "Token")); ok && t.After(best) {
				best = t
			}
		}
		switch {
		case best.IsZero():
			return "it has none"
		case best.Before(l.Time):
			return "its token expired at " + best.UTC().String()
		}
		return ""
	}},
	{"ticket-in-its-life", "the deployment service takes a device ticket that has not expired", func(l *look) string {
		if l.pc == nil || l.Kind != "ztd.profile" {
			return ""
		}
		var ticket struct{ Expires time.Time }
		b, ok := l.pc.Disk.Files.Read(device.FileTicket)
		switch {
		case !ok || json.Unmarshal(b, &ticket) != nil:
			return "the PC has no ticket"
		case ticket.Expires.Before(l.Time):
			return "its ticket expired at " + ticket.Expires.String()
		}
		return ""
	}},
	{"tokens-have-a-life", "nobody is given a token that has expired already, by the clock of who counts its life", func(l *look) string {
		now := l.Time
		switch {
		case l.pc == nil:
			return ""
		case l.Kind == "token.acquired":
			now = l.pc.FirmwareTime() // the PC reckons from what it was told: so many seconds
		case l.Kind != "msa.ticket":
			return ""
		}
		if v, _ := l.Get("expires"); v != nil {
			if t, ok := v.(time.Time); ok && !t.After(now) {
				return "it expired at " + t.String()
			}
		}
		return ""
	}},
	{"user-tokens-have-a-user", "a token for a user comes from a user's primary refresh token, while somebody is signed in", func(l *look) string {
		if l.pc == nil || l.Kind != "token.acquired" || l.Text("kind") != "user" {
			return ""
		}
		switch {
		case l.pc.Disk.Registry.String(prt, "Token") == "":
			return "there is no primary refresh token"
		case l.m.account == "" && len(l.m.users) == 0:
			return "nobody is signed in"
		}
		return ""
	}},
	{"one-prt-a-session", "a user is given one primary refresh token for a sign-in, or in one start of Windows, on a PC with a device certificate", func(l *look) string {
		if l.pc == nil || l.Kind != "prt.acquired" {
			return ""
		}
		if n := l.m.prts[l.Text("user")]; n > 0 {
			return fmt.Sprintf("%s has %d already", l.Text("user"), n)
		}
		if _, ok := l.pc.Disk.Certs.Find(device.StoreMySystem, "entra-device"); !ok {
			return "the PC has no device certificate"
		}
		return ""
	}},
	{"one-enrolment", "a PC has one MDM enrolment", func(l *look) string {
		if l.pc == nil {
			return ""
		}
		r, n := l.pc.Disk.Registry, 0
		for _, id := range r.Subkeys(device.KeyEnrollments) {
			if r.String(device.KeyEnrollments+`\`+id, "ProviderID") != "" {
				n++
			}
		}
		if n > 1 {
			return fmt.Sprintf("it has %d", n)
		}
		return ""
	}},
	{"one-join", "a PC is joined to one tenant, once", func(l *look) string {
		if l.pc == nil {
			return ""
		}
		if n := len(l.pc.Disk.Registry.Subkeys(device.KeyJoinInfo)); n > 1 {
			return fmt.Sprintf("it is joined %d times", n)
		}
		return ""
	}},
	{"one-record", "Intune has one managed device and one registration of a PC", func(l *look) string {
		if l.pc == nil || !atRest(l.Kind) {
			return ""
		}
		if managed, registered := l.eyes.records(l.w, l.pc); managed > 1 || registered > 1 {
			return fmt.Sprintf("it has %d managed devices and %d registrations", managed, registered)
		}
		return ""
	}},
	{"desktop-is-somebodys", "who is at the desktop is a user of a PC that is joined and managed", func(l *look) string {
		if l.pc == nil || l.Kind != "desktop.reached" {
			return ""
		}
		r := l.pc.Disk.Registry
		_, member := l.pc.Domain()
		switch {
		case r.String(device.KeyOOBE, "UserSID") == "":
			return "there is no user"
		case !member && len(r.Subkeys(device.KeyJoinInfo)) == 0:
			return "the PC is not joined"
		}
		return ""
	}},
}

// expires is when an access token ends by its own claim (RFC 7519, 4.1.4), in the
// issuer's time; false for what is none.
func expires(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(b, &claims) != nil || claims.Exp == 0 {
		return time.Time{}, false
	}
	return time.Unix(claims.Exp, 0), true
}

// atRest tells whether an event is one of the PC's own, at which no service is
// in the middle of something.
func atRest(kind string) bool {
	for _, k := range []string{"screen.", "device.", "esp.", "phase.", "story.", "person.", "eventlog", "mdm.enrolled"} {
		if strings.HasPrefix(kind, k) && kind != "mdm.enrolled.server" {
			return true
		}
	}
	return false
}
