package diag

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/hosts"
)

// DSRegCmd is the output of `dsregcmd /status`, run as administrator by whoever
// is signed in (learn.microsoft.com, "Troubleshoot devices by using the dsregcmd
// command"). Rows that the simulation knows nothing of are left out.
func DSRegCmd(s Source) string {
	st := joinOf(s)
	p := &statusText{}
	p.section("Device State")
	p.row("AzureAdJoined", yes(st.joined))
	p.row("EnterpriseJoined", yes(false)) // no registration service of a federation service is modelled
	p.row("DomainJoined", yes(st.domain != ""))
	if st.domain != "" {
		p.row("DomainName", st.domain)
	}
	p.row("Virtual Desktop", "NOT SET")
	p.row("Device Name", st.computer(s.Computer))
	if st.joined {
		p.details(&st)
		p.tenant(&st)
	}
	p.user(&st)
	p.sso(&st, s.Disk.Registry)
	p.diagnostics(&st, s)
	p.section("Ngc Prerequisite Check")
	p.row("IsDeviceJoined", yes(st.joined))
	p.row("IsUserAzureAD", yes(st.prt))
	p.row("PolicyEnabled", yes(false)) // Windows Hello for Business is not provisioned
	p.row("PostLogonEnabled", yes(true))
	p.row("DeviceEligible", yes(s.TPM != nil))
	p.row("SessionIsNotRemote", yes(true))
	p.row("CertEnrollment", "none")
	p.row("PreReqResult", "WillNotProvision")
	return p.b.String()
}

func (p *statusText) details(st *joined) {
	p.section("Device Details")
	p.row("DeviceId", st.deviceID)
	p.row("Thumbprint", st.thumbprint)
	p.row("DeviceCertificateValidity", fmt.Sprintf("[ %s UTC -- %s UTC ]", st.from.Format(moment), st.to.Format(moment)))
	p.row("KeyContainerId", st.container)
	p.row("KeyProvider", "Microsoft Platform Crypto Provider")
	p.row("TpmProtected", yes(true))
	p.row("DeviceAuthStatus", st.auth)
}

func (p *statusText) tenant(st *joined) {
	const service = "urn:ms-drs:" + hosts.Registration
	p.section("Tenant Details")
	p.row("TenantName", st.tenantDomain)
	p.row("TenantId", st.tenant)
	p.row("AuthCodeUrl", authority(st)+"/oauth2/authorize")
	p.row("AccessTokenUrl", authority(st)+"/oauth2/token")
	p.row("MdmUrl", st.mdmURL)
	p.row("JoinSrvVersion", "2.0")
	p.row("JoinSrvUrl", "https://"+hosts.Registration+"/EnrollmentServer/device/")
	p.row("JoinSrvId", service)
	p.row("KeySrvVersion", "1.0")
	p.row("KeySrvUrl", "https://"+hosts.Registration+"/EnrollmentServer/key/")
	p.row("KeySrvId", service)
}

func authority(st *joined) string { return "https://" + hosts.Login + "/" + st.tenant }

func (p *statusText) user(st *joined) {
	p.section("User State")
	p.row("NgcSet", yes(false))
	p.row("WorkplaceJoined", yes(false))
	p.row("WamDefaultSet", yes(st.prt))
	if st.prt {
		p.row("WamDefaultAuthority", "organizations")
		p.row("WamDefaultId", "https://"+hosts.LoginMicrosoft)
		p.row("WamDefaultGUID", "{B16898C6-A148-4967-9171-64D755DA8520} (AzureAd)")
	}
}

func (p *statusText) sso(st *joined, r *device.Registry) {
	p.section("SSO State")
	p.row("AzureAdPrt", yes(st.prt))
	if st.prt {
		p.row("AzureAdPrtUpdateTime", st.prtUpdate.Format(moment)+" UTC")
		p.row("AzureAdPrtExpiryTime", st.prtExpiry.Format(moment)+" UTC")
	}
	if st.joined {
		p.row("AzureAdPrtAuthority", authority(st))
	}
	if when := r.String(join.KeyPRTAttempt, "Time"); when != "" {
		p.row("AcquirePrtDiagnostics", "PRESENT")
		p.row("Previous Prt Attempt", when)
		p.values(r, join.KeyPRTAttempt, [][2]string{
			{"Attempt Status", "Status"}, {"User Identity", "User"}, {"Credential Type", "Credential"}, {"Correlation ID", "CorrelationId"},
			{"Endpoint URI", "Endpoint"}, {"HTTP Method", "Method"}, {"HTTP Error", "HttpError"}, {"HTTP status", "HttpStatus"},
			{"Server Error Code", "ServerErrorCode"}, {"Server Error Description", "ServerErrorDescription"},
		})
	}
	p.row("EnterprisePrt", yes(false))
	p.row("OnPremTgt", yes(false)) // Entra Kerberos is not modelled
	p.row("CloudTgt", yes(false))
	if st.prt {
		p.row("Executing Account Name", st.upn)
	}
}

// diagnostics are of a PC that is joined, or of one that failed to.
func (p *statusText) diagnostics(st *joined, s Source) {
	if st.joined {
		p.section("Diagnostic Data")
		p.row("AadRecoveryEnabled", yes(false))
		p.row("KeySignTest", "PASSED")
		return
	}
	if st.domain != "" {
		p.registration(s)
		return
	}
	if e, ok := lastFailure(s); ok {
		p.section("Diagnostic Data")
		p.row("Previous Registration", clock(e).UTC().Format(moment)+" UTC")
		p.row("Error Phase", join.PhaseJoin)
		p.row("Server Message", e.Text("message"))
	}
}

// registration shows how the last registration of a member of a domain failed,
// which the task has written down.
func (p *statusText) registration(s Source) {
	const key = join.KeyDiagnostics
	r := s.Disk.Registry
	when := r.String(key, "Time")
	if when == "" {
		return
	}
	p.section("Diagnostic Data")
	p.row("Diagnostics Reference", "www.microsoft.com/aadjerrors")
	p.row("User Context", "SYSTEM")
	p.row("Client Time", s.Taken.UTC().Format(moment)+" UTC")
	for _, name := range join.RegistrationTests() {
		p.row(name, r.String(key, name))
	}
	p.row("Fallback to Sync-Join", "ENABLED")
	p.b.WriteString("\r\n")
	p.row("Previous Registration", when)
	if r.String(key, "Phase") == join.PhaseJoin {
		p.row("Registration Type", "sync")
	}
	p.values(r, key, [][2]string{
		{"Error Phase", "Phase"}, {"Client ErrorCode", "ClientErrorCode"}, {"Server ErrorCode", "ServerErrorCode"},
		{"Server Message", "ServerMessage"}, {"Https Status", "HttpsStatus"}, {"Request Id", "RequestId"},
	})
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

// values shows those of a key that are there.
func (p *statusText) values(r *device.Registry, key string, rows [][2]string) {
	for _, row := range rows {
		if text := r.String(key, row[1]); text != "" {
			p.row(row[0], text)
		}
	}
}
