package enroll

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/mde"
)

// minKeyBits is the MDM key's minimal length, as the certificate policy says.
const minKeyBits = 2048

// enrolment is a request on its way through the checks.
type enrolment struct {
	caller
	settings     Settings
	request      *mde.Enrol
	about        mde.Context
	csr          *x509.CertificateRequest
	registration *tenant.Registration // nil: not registered with Autopilot
	entraDevice  string
	result       tenant.AttestationResult
	restrictions tenant.Restrictions
}

// checks in the order in which the first that fails decides.
var checks = []func(*Service, context.Context, *enrolment) error{
	(*Service).open, (*Service).edition, (*Service).supported, (*Service).packaged, (*Service).scope, (*Service).terms, (*Service).autopilot, (*Service).oneTime, (*Service).platform,
	(*Service).deviceCap, (*Service).keyRequest, (*Service).attest,
}

// open: nobody enrols while the service is closed.
func (s *Service) open(_ context.Context, e *enrolment) error { return e.settings.serving() }

// packageUser begins the name of the account that a provisioning package's bulk
// token is of (learn.microsoft.com, "Bulk enrollment for Windows devices").
const packageUser = "package_"

// bulk: the enrolment comes from a provisioning package, and is nobody's.
func (e *enrolment) bulk() bool { return e.about.BulkAADJ && !e.about.WhiteGlove }

// packaged: a package's token is of a device or of the package's account; who
// signs in as himself is not a package, whatever the request says.
func (s *Service) packaged(_ context.Context, e *enrolment) error {
	if !e.bulk() {
		return nil
	}
	if e.mode != mde.ModeEntra || e.user != nil && !strings.HasPrefix(strings.ToLower(e.user.UPN), packageUser) {
		return no("bulk token", hresult.EnrollAuthorization, "bulk enrolment needs the token of a provisioning package")
	}
	e.user = nil
	return nil
}

// terms: who enrols for a user has accepted the terms of use.
func (s *Service) terms(_ context.Context, e *enrolment) error {
	if e.user != nil && e.settings.TermsOfUse != "" && e.about.EnrollmentData != e.settings.TermsOfUse {
		return no("terms of use", hresult.EnrollInvalidData, "the terms of use were not accepted")
	}
	return nil
}

// edition: Home cannot be managed (GetProductInfo: 98 to 101 are its editions).
func (s *Service) edition(_ context.Context, e *enrolment) error {
	switch e.about.OSEdition {
	case "98", "99", "100", "101":
		return no("edition", hresult.EnrollNotSupported, "Windows Home cannot be enrolled")
	}
	return nil
}

// supported: pre-provisioning is for a Windows that still gets updates
// (learn.microsoft.com/autopilot/pre-provision, requirements). That it is this
// service that says no, and with this code, is our model.
func (s *Service) supported(_ context.Context, e *enrolment) error {
	if e.about.WhiteGlove && s.Supported != nil && !s.Supported(e.about.OSVersion, e.about.OSEdition, s.Tenants.Now()) {
		return no("supported Windows", hresult.EnrollDeviceNotSupported, "Windows %s gets no updates any more", e.about.OSVersion)
	}
	return nil
}

// scope: the user must be in the MDM scope and have a licence.
func (s *Service) scope(_ context.Context, e *enrolment) error {
	if e.user == nil {
		return nil
	}
	in := e.settings.Scope == "" || e.settings.Scope == ScopeAll
	if e.settings.Scope == ScopeSome {
		in = slices.ContainsFunc(e.user.Groups, func(g string) bool {
			return slices.ContainsFunc(e.settings.ScopeGroups, func(s string) bool { return strings.EqualFold(g, s) })
		})
	}
	switch {
	case !in:
		return no("MDM scope", hresult.EnrollAuthorization, "the user is not in the MDM user scope")
	case !e.user.Licensed:
		return no("licence", hresult.EnrollUserLicense, "the user has no licence for Intune")
	}
	return nil
}

// autopilot: who enrols as a registered device must be it. In the technician
// flow the profile must allow that.
func (s *Service) autopilot(_ context.Context, e *enrolment) error {
	e.entraDevice = e.claims.DeviceID
	if id := e.about.ZeroTouchProvisioning; id != "" {
		r, err := e.tenant.Registration(id)
		// The id is no secret: who is that device is who has its object's token.
		mine := err == nil && (e.entraDevice != "" && strings.EqualFold(r.EntraDeviceID, e.entraDevice) || e.brings(r))
		switch {
		case mine:
			e.registration, e.entraDevice = &r, r.EntraDeviceID
		case err != nil && e.about.WhiteGlove:
			return no("ZtdId", hresult.EnrollAuthorization, "the device is not registered in this tenant")
		case e.about.WhiteGlove:
			return no("ZtdId of the token's device", hresult.EnrollAuthorization, "the registration belongs to another device")
		}
	} else if r, ok := e.tenant.ByEntraDevice(e.entraDevice); ok && e.entraDevice != "" {
		e.registration = &r
	}
	if !e.about.WhiteGlove {
		if e.user == nil && !e.bulk() {
			return no("device token", hresult.EnrollAuthorization, "only the technician flow enrols without a user")
		}
		return nil
	}
	if e.registration == nil {
		return no("ZtdId", hresult.EnrollAuthorization, "the technician flow needs a registered device")
	}
	if p, err := e.tenant.Profile(*e.registration); err != nil || !p.PreprovisioningAllowed {
		return no("profile allows pre-provisioning", hresult.EnrollServerError, "the deployment profile does not allow pre-provisioning")
	}
	return nil
}

// brings: a user enrols a device that is to join a domain, so it has not joined
// Entra ID and has no token of its own. Its word for which registration it is
// counts (our model) where that has no managed device, or one with the same
// hardware: who knows the id can't put himself in the place of a device.
func (e *enrolment) brings(r tenant.Registration) bool {
	p, err := e.tenant.Profile(r)
	if err != nil || !p.Hybrid() || e.user == nil || e.entraDevice != "" || e.about.WhiteGlove {
		return false
	}
	old, err := e.tenant.Device(r.ManagedDeviceID)
	return err != nil || old.HWDevID != "" && old.HWDevID == e.about.HWDevID
}

// hybrid: the device's Autopilot profile makes it join a domain.
func (e *enrolment) hybrid() bool {
	if e.registration == nil {
		return false
	}
	p, err := e.tenant.Profile(*e.registration)
	return err == nil && p.Hybrid()
}

// checkNoEntraKey: a device that joins a domain has no key of its Entra
// registration yet when it enrols, so it is not attested then (learn.microsoft.com,
// "Windows enrollment attestation", status "Microsoft Entra key can't be
// attested").
const checkNoEntraKey = "Entra key"

// oneTime keeps a device from being pre-provisioned again while its record
// stands (learn.microsoft.com, Autopilot known issues, 0x80180014).
func (s *Service) oneTime(_ context.Context, e *enrolment) error {
	if e.about.WhiteGlove && oneTimeLimited(e) {
		return oneTimeRefusal()
	}
	return nil
}

// platform: enrolment restrictions, those of the user's groups or the default
// ones.
func (s *Service) platform(_ context.Context, e *enrolment) error {
	e.restrictions = e.tenant.EnrollmentRestrictions(tenant.Audience{User: e.user})
	v, r := e.about.OSVersion, e.restrictions.Windows
	switch {
	case r.PlatformBlocked:
		return no("platform restriction", hresult.EnrollDeviceNotSupported, "enrolment of Windows devices is blocked")
	case r.PersonalDeviceEnrollmentBlocked && e.personal():
		return no("personally owned", hresult.EnrollDeviceNotSupported, "enrolment of personally owned devices is blocked")
	case r.OSMinimumVersion != "" && compareVersions(v, r.OSMinimumVersion) < 0,
		r.OSMaximumVersion != "" && compareVersions(v, r.OSMaximumVersion) > 0:
		return no("version restriction", hresult.EnrollDeviceNotSupported, "enrolment of Windows %s is blocked", v)
	}
	return nil
}

// personal: Intune takes a device for the company's that was registered with
// Autopilot, came with a provisioning package, or whose user proved to be
// somebody by a certificate that the company put there (the last is our model;
// learn.microsoft.com, "Overview of enrollment restrictions", blocking
// personal Windows devices). One that only joined Entra ID is personal there,
// and counts as the company's afterwards.
func (e *enrolment) personal() bool {
	return e.registration == nil && !e.about.WhiteGlove && !e.bulk() && e.mode != mde.ModeCertificate
}

// compareVersions compares dotted numbers part by part; what is missing does
// not count.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if c := cmp.Compare(m, n); c != 0 {
			return c
		}
	}
	return 0
}

// deviceCap: a user has so many devices. The device that enrols again does not
// count.
func (s *Service) deviceCap(_ context.Context, e *enrolment) error {
	if e.user == nil {
		return nil
	}
	limit, n := s.limit(e), 0
	for _, m := range e.tenant.DevicesOf(e.user.UPN) {
		same := e.entraDevice != "" && strings.EqualFold(m.AzureADDeviceID, e.entraDevice) ||
			e.entraDevice == "" && m.AzureADDeviceID == "" && m.HWDevID != "" && m.HWDevID == e.about.HWDevID
		if !same {
			n++
		}
	}
	if n >= limit {
		return capReached(limit)
	}
	return nil
}

// limit is how many devices the user may have.
func (s *Service) limit(e *enrolment) int {
	return cmp.Or(e.restrictions.DeviceLimit, s.Tenants.Timing.MDM.DevicesPerUser)
}

func capReached(limit int) error {
	return no("device cap", hresult.EnrollDeviceCapReached, "the user has %d devices, the limit", limit)
}

// keyRequest: what is to be certified.
func (s *Service) keyRequest(_ context.Context, e *enrolment) error {
	var err error
	e.csr, err = parseRequest(e.request.Request)
	return err
}

// parseRequest: the PKCS#10 must be whole, signed by its key, and of an RSA key
// that is long enough.
func parseRequest(der []byte) (*x509.CertificateRequest, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, no("certificate request", hresult.EnrollCertificateRequest, "%v", err)
	}
	if err := pki.CheckRequest(csr); err != nil {
		return nil, no("certificate request signature", hresult.EnrollCertificateRequest, "%v", err)
	}
	if key, ok := csr.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < minKeyBits {
		return nil, no("certificate request key", hresult.EnrollCertificateRequest, "the key is not RSA of at least %d bits", minKeyBits)
	}
	return csr, nil
}

// attest: the AIK's word for the key. Without one, or with a bad one, the
// technician flow ends here, and so do other enrolments unless the policy told
// the device to ignore what it cannot attest. What the device says of its own
// attempt is recorded, and decides nothing.
func (s *Service) attest(ctx context.Context, e *enrolment) error {
	e.result = tenant.AttestationResult{Status: e.about.AttestationStatus, HResult: e.about.AttestationStatusHResult}
	err := s.proof(ctx, e)
	e.result.MDMKey = err == nil
	if err == nil {
		if e.hybrid() {
			e.result.EntraKey, e.result.Check = false, checkNoEntraKey
		}
		return nil
	}
	e.result.Check = checkOf(err)
	if e.about.WhiteGlove || e.settings.failure() != mde.IgnoreOnError {
		return no("attestation "+e.result.Check, hresult.EnrollAuthorization, "%v", err)
	}
	return nil
}
