package enroll

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

// minKeyBits is the MDM key's minimal length, as the certificate policy says.
const minKeyBits = 2048

// caller is who asks, by its token.
type caller struct {
	tenant *tenant.Tenant
	claims tenant.Claims
	user   *tenant.DirectoryUser // nil: the device asks for itself
}

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
}

// checks in the order in which the first that fails decides.
var checks = []func(*Service, context.Context, *enrolment) error{
	(*Service).edition, (*Service).supported, (*Service).scope, (*Service).autopilot, (*Service).oneTime, (*Service).platform,
	(*Service).deviceCap, (*Service).keyRequest, (*Service).attest,
}

// authenticate verifies the token of a request's security header.
func (s *Service) authenticate(ctx context.Context, h mde.Header) (caller, error) {
	if mode := h.Security.Mode(); mode != mde.ModeEntra {
		return caller{}, no("authentication mode", hresult.EnrollAuthentication, "authentication by %s is not modelled", mode)
	}
	claims, err := s.Tenants.Tokens.Verify(ctx, string(h.Security.Token), Audience, s.Tenants.Now())
	if err != nil {
		return caller{}, no("token", hresult.EnrollAuthentication, "%v", err)
	}
	c := caller{claims: claims}
	if c.tenant, err = s.Tenants.Tenant(claims.TenantID); err != nil {
		return caller{}, no("token tenant", hresult.EnrollAuthentication, "the token's tenant is no customer")
	}
	switch {
	case claims.UPN != "":
		u, ok := s.Tenants.Directory.User(ctx, c.tenant.ID, claims.UPN)
		if !ok || !u.Enabled {
			return caller{}, no("token user", hresult.EnrollAuthentication, "the user does not exist or is disabled")
		}
		c.user = &u
	case claims.DeviceID == "":
		return caller{}, no("token subject", hresult.EnrollAuthentication, "the token names neither a user nor a device")
	}
	if claims.DeviceID != "" {
		if d, ok := s.Tenants.Directory.Device(ctx, c.tenant.ID, claims.DeviceID); !ok || !d.Enabled {
			return caller{}, no("token device", hresult.EnrollAuthentication, "the device object does not exist or is disabled")
		}
	}
	return c, nil
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
		switch {
		case err != nil && e.about.WhiteGlove:
			return no("ZtdId", hresult.EnrollAuthorization, "the device is not registered in this tenant")
		case err == nil && e.entraDevice != "" && !strings.EqualFold(r.EntraDeviceID, e.entraDevice) && e.about.WhiteGlove:
			return no("ZtdId of the token's device", hresult.EnrollAuthorization, "the registration belongs to another device")
		case err == nil && (e.entraDevice == "" || strings.EqualFold(r.EntraDeviceID, e.entraDevice)):
			e.registration = &r
		}
	} else if r, ok := e.tenant.ByEntraDevice(e.entraDevice); ok && e.entraDevice != "" {
		e.registration = &r
	}
	if !e.about.WhiteGlove {
		if e.user == nil {
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

// oneTime keeps a device from being pre-provisioned again while its record
// stands (learn.microsoft.com, Autopilot known issues, 0x80180014).
func (s *Service) oneTime(_ context.Context, e *enrolment) error {
	if e.about.WhiteGlove && oneTimeLimited(e) {
		return oneTimeRefusal()
	}
	return nil
}

// platform: enrolment restrictions.
func (s *Service) platform(_ context.Context, e *enrolment) error {
	switch v := e.about.OSVersion; {
	case e.settings.BlockWindows:
		return no("platform restriction", hresult.EnrollDeviceNotSupported, "enrolment of Windows devices is blocked")
	case e.settings.MinimumVersion != "" && compareVersions(v, e.settings.MinimumVersion) < 0,
		e.settings.MaximumVersion != "" && compareVersions(v, e.settings.MaximumVersion) > 0:
		return no("version restriction", hresult.EnrollDeviceNotSupported, "enrolment of Windows %s is blocked", v)
	}
	return nil
}

// compareVersions compares dotted numbers part by part; what is missing does
// not count.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m - n
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
	limit := e.settings.DeviceLimit
	if limit == 0 {
		limit = s.Tenants.Timing.MDM.DevicesPerUser
	}
	n := 0
	for _, m := range e.tenant.DevicesOf(e.user.UPN) {
		if e.entraDevice == "" || !strings.EqualFold(m.AzureADDeviceID, e.entraDevice) {
			n++
		}
	}
	if n >= limit {
		return no("device cap", hresult.EnrollDeviceCapReached, "the user has %d devices, the limit", n)
	}
	return nil
}

// keyRequest: the PKCS#10 must be whole, signed by its key, and of an RSA key
// that is long enough.
func (s *Service) keyRequest(_ context.Context, e *enrolment) error {
	if e.request.Renew {
		return no("renewal", hresult.EnrollNotEligibleToRenew, "renewal is not modelled")
	}
	var err error
	if e.csr, err = x509.ParseCertificateRequest(e.request.Request); err != nil {
		return no("certificate request", hresult.EnrollCertificateRequest, "%v", err)
	}
	if err := e.csr.CheckSignature(); err != nil {
		return no("certificate request signature", hresult.EnrollCertificateRequest, "%v", err)
	}
	if key, ok := e.csr.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < minKeyBits {
		return no("certificate request key", hresult.EnrollCertificateRequest, "the key is not RSA of at least %d bits", minKeyBits)
	}
	return nil
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
		return nil
	}
	e.result.Check = checkOf(err)
	if e.about.WhiteGlove || e.settings.failure() != mde.IgnoreOnError {
		return no("attestation "+e.result.Check, hresult.EnrollAuthorization, "%v", err)
	}
	return nil
}
