package diag

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/journal"
)

// dsregcmd is the output of `dsregcmd /status`, run as the computer
// (learn.microsoft.com, "Troubleshoot devices by using the dsregcmd command").
// Rows that the simulation knows nothing of are left out.
func dsregcmd(s Source) string {
	st := joinOf(s)
	p := &statusText{}
	p.section("Device State")
	p.row("AzureAdJoined", yes(st.joined))
	p.row("EnterpriseJoined", yes(false))
	p.row("DomainJoined", yes(st.domain != ""))
	if st.domain != "" {
		p.row("DomainName", st.domain)
	}
	p.row("Device Name", s.Computer)
	if st.joined {
		p.section("Device Details")
		p.row("DeviceId", st.deviceID)
		p.row("Thumbprint", st.thumbprint)
		p.row("DeviceCertificateValidity", fmt.Sprintf("[ %s UTC -- %s UTC ]", st.from.Format(moment), st.to.Format(moment)))
		p.row("KeyContainerId", st.container)
		p.row("KeyProvider", "Microsoft Platform Crypto Provider")
		p.row("TpmProtected", yes(true))
		p.section("Tenant Details")
		p.row("TenantId", st.tenant)
		p.row("MdmUrl", st.mdmURL)
	}
	p.section("User State")
	p.row("NgcSet", yes(false))
	p.row("WorkplaceJoined", yes(false))
	p.row("WamDefaultSet", yes(st.prt))
	p.section("SSO State")
	p.row("AzureAdPrt", yes(st.prt))
	if st.prt {
		p.row("AzureAdPrtExpiryTime", st.prtExpiry.Format(moment)+" UTC")
		p.row("AzureAdPrtAuthority", "https://login.microsoftonline.com/"+st.tenant)
		p.row("Executing Account Name", st.upn)
	}
	p.row("EnterprisePrt", yes(false))
	p.row("OnPremTgt", yes(false))
	p.row("CloudTgt", yes(false))
	if !st.joined {
		if registrationData(p, s.Disk.Registry) {
			// a member of a domain: the task has written down how it went
		} else if e, ok := lastFailure(s); ok {
			p.section("Diagnostic Data")
			p.row("Previous Registration", clock(e).UTC().Format(moment)+" UTC")
			p.row("Registration Type", "sync")
			p.row("Error Phase", "join")
			p.row("Server Message", e.Text("message"))
		}
	}
	p.section("Ngc Prerequisite Check")
	p.row("IsDeviceJoined", yes(st.joined))
	p.row("IsUserAzureAD", yes(st.prt))
	p.row("PreReqResult", map[bool]string{true: "WillProvision", false: "WillNotProvision"}[st.joined && st.prt])
	return p.b.String()
}

// registrationData shows how the last registration of a member of a domain
// failed; false where none did.
func registrationData(p *statusText, r *device.Registry) bool {
	const key = join.KeyDiagnostics
	when := r.String(key, "Time")
	if when == "" {
		return false
	}
	p.section("Diagnostic Data")
	p.row("Diagnostics Reference", "www.microsoft.com/aadjerrors")
	p.row("User Context", "SYSTEM")
	for _, name := range join.RegistrationTests() {
		p.row(name, r.String(key, name))
	}
	p.row("Fallback to Sync-Join", "ENABLED")
	p.row("Previous Registration", when)
	p.row("Registration Type", "sync")
	for _, v := range [][2]string{
		{"Error Phase", "Phase"}, {"Client ErrorCode", "ClientErrorCode"}, {"Server ErrorCode", "ServerErrorCode"},
		{"Server Message", "ServerMessage"}, {"Https Status", "HttpsStatus"}, {"Request Id", "RequestId"},
	} {
		if text := r.String(key, v[1]); text != "" {
			p.row(v[0], text)
		}
	}
	return true
}

// lastFailure is the last record of a registration that failed.
func lastFailure(s Source) (last journal.Event, ok bool) {
	if s.Events == nil {
		return last, false
	}
	for e := range s.Events {
		switch {
		case e.Kind == device.EventWiped:
			ok = false
		case e.Kind == device.EventLogged && e.Text("channel") == device.LogRegistration && e.Text("level") == "Error":
			last, ok = e, true
		}
	}
	return last, ok
}

const moment = "2006-01-02 15:04:05.000"

// joined is what the disk says about the registration with Entra ID.
type joined struct {
	joined               bool
	deviceID, thumbprint string
	container, tenant    string
	from, to             time.Time
	mdmURL               string
	prt                  bool
	prtExpiry            time.Time
	upn                  string
	domain               string // NetBIOS name; "" not a member of one
}

func joinOf(s Source) joined {
	var j joined
	r := s.Disk.Registry
	cert, ok := s.Disk.Certs.Find(device.StoreMySystem, certDevice)
	if parsed, err := cert.Parse(); ok && err == nil {
		j.container, j.from, j.to = cert.Container, parsed.NotBefore.UTC(), parsed.NotAfter.UTC()
		for _, thumbprint := range r.Subkeys(device.KeyJoinInfo) {
			key := device.KeyJoinInfo + `\` + thumbprint
			j.joined, j.thumbprint = true, strings.ToUpper(thumbprint)
			j.deviceID, j.tenant = r.String(key, "DeviceId"), r.String(key, "TenantId")
		}
	}
	key := device.KeyIdentityStore + `\PRT`
	if r.String(key, "Token") != "" {
		unix, _ := strconv.ParseInt(r.String(key, "Expires"), 10, 64) // 0 is long ago
		j.prt, j.prtExpiry, j.upn = true, time.Unix(unix, 0).UTC(), r.String(key, "UserUPN")
	}
	if member, _ := r.DWORD(device.KeyDomain, "Joined"); member != 0 {
		j.domain = strings.ToUpper(r.String(device.KeyDomain, "NetBIOS"))
	}
	j.mdmURL = r.String(enrollment(r), "EnrollmentServiceURL")
	return j
}

const certDevice = "entra-device" // name of the device's certificate in My\System

// enrollment is the key of the MDM enrolment, "" where there is none.
func enrollment(r *device.Registry) string {
	if id := r.String(device.KeyEnrollments, "Current"); id != "" {
		return device.KeyEnrollments + `\` + id
	}
	return ""
}

func yes(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}

// statusText builds the tool's boxes and rows.
type statusText struct{ b strings.Builder }

func (p *statusText) section(name string) {
	const width = 70
	border := "+" + strings.Repeat("-", width) + "+\r\n"
	fmt.Fprintf(&p.b, "%s| %-*s|\r\n%s\r\n", border, width-1, name, border)
}

func (p *statusText) row(name, value string) {
	fmt.Fprintf(&p.b, "%26s : %s\r\n", name, value)
}
