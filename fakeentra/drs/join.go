package drs

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/tpmattest"
)

// ErrCertificate is about a device certificate that is not, or no longer, good.
var ErrCertificate = errors.New("device certificate is not valid")

// refusal is a check that said no.
type refusal struct{ check, code, sub, message string }

func (r *refusal) Error() string { return r.check + ": " + r.message }

func no(check, code, sub string, err error) error {
	return &refusal{check, code, sub, err.Error()}
}

// minRSABits is the size of the keys that [MS-DVRJ] 2.2.2.1 asks for.
const minRSABits = 2048

var errShortKey = errors.New("the key is no RSA key of 2048 bits")

// joining is one request on its way through the checks.
type joining struct {
	r      *http.Request
	req    *wire.JoinRequest
	csr    *x509.CertificateRequest
	tenant tenant.Tenant
	join   tenant.Join
	upn    string
}

func (s *Service) join(w http.ResponseWriter, r *http.Request) {
	response, err := s.doJoin(r)
	if err == nil {
		service.WriteJSON(w, http.StatusOK, response)
		return
	}
	s.refused(w, r, "drs.join", err)
}

func (s *Service) doJoin(r *http.Request) (*wire.JoinResponse, error) {
	if err := version(r, "1.0", "2.0", "3.0"); err != nil {
		return nil, err
	}
	body, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	j := &joining{r: r}
	if j.req, j.csr, err = wire.ParseJoinRequest(body); err != nil {
		return nil, no("message", wire.MalformedMessage, "", err)
	}
	if j.join, err = keysOf(j.req.TransportKey, j.csr); err != nil {
		return nil, err
	}
	j.join.Trust, j.join.DisplayName, j.join.OSVersion = j.req.JoinType.Trust(), j.req.DeviceDisplayName, j.req.OSVersion
	if j.join.Trust == "" || j.join.Trust == wire.JoinHybrid.Trust() {
		return nil, no("join type", wire.InvalidRequest, "", errors.New("a hybrid join is claimed by PUT; other types are not known"))
	}
	if token := oauth.Bearer(r.Header.Get("Authorization")); token != "" {
		err = s.asUser(j, token)
	} else {
		err = s.asDevice(j)
	}
	if err != nil {
		return nil, err
	}
	return s.write(j)
}

// asUser checks a join with a user's token. A device ticket, if there is one,
// tells which Autopilot object the hardware belongs to, so that it is reused.
func (s *Service) asUser(j *joining, token string) error {
	if s.settings.Tokens == nil {
		return no("token", wire.AuthenticationError, "", errors.New("nobody verifies tokens"))
	}
	claims, err := s.settings.Tokens.VerifyToken(token, wire.Resource, s.Now())
	if err != nil {
		return no("token", wire.AuthenticationError, "", err)
	}
	if j.tenant, err = s.dir.Tenant(claims.TenantID); err != nil {
		return no("token tenant", wire.AuthenticationError, "", err)
	}
	if j.req.TargetDomain != "" && !j.tenant.Has(j.req.TargetDomain) {
		return no("target domain", wire.AuthorizationError, "", errors.New("the token is of another tenant"))
	}
	user, err := s.dir.User(j.tenant.ID, claims.ObjectID)
	switch {
	case err != nil:
		return no("user", wire.AuthenticationError, "", err)
	case !user.Resource.Enabled() || !s.dir.MayJoin(j.tenant, user.Resource.ID, j.req.JoinType == wire.JoinRegister):
		return no("join permission", wire.AuthorizationError, "", errors.New("the user may not join devices"))
	case j.tenant.JoinMFA && !user.Package && !strongly(claims):
		return no("join multifactor", wire.AuthorizationError, wire.SubMFA, errors.New("joining needs a second factor"))
	}
	j.join.NoQuota = user.Package
	j.join.Owner, j.upn = user.Resource.ID, user.Resource.UserPrincipalName
	if j.req.Attributes.DeviceTicket == nil {
		return nil
	}
	ticket, err := s.ticket(j)
	if err != nil {
		return err
	}
	return s.reuse(j, ticket, false)
}

var errMedia = errors.New("the body has to be application/json")

// readJSON takes a body of JSON; clients that do not say what it is are served.
func readJSON(r *http.Request) ([]byte, error) {
	if !service.Sends(r, "application/json") {
		return nil, no("content type", wire.MalformedMessage, "", errMedia)
	}
	body, err := service.ReadBody(r)
	if err != nil {
		return nil, no("body", wire.MalformedMessage, "", err)
	}
	return body, nil
}

// strongly tells whether a token's user showed a second factor.
func strongly(c *oauth.Claims) bool {
	return slices.Contains(c.AuthMethods, "mfa") || slices.Contains(c.AuthMethods, "ngcmfa")
}

// version checks the api-version of a request; clients that leave it out are
// served.
func version(r *http.Request, known ...string) error {
	v := r.URL.Query().Get("api-version")
	if v == "" || slices.Contains(known, v) {
		return nil
	}
	return no("api-version", wire.InvalidRequest, "", fmt.Errorf("api-version %q is none of %s", v, strings.Join(known, ", ")))
}

// asDevice checks a join without a user, in this order: ticket, AIK, the AIK's
// word for the key, the key, that ticket and AIK mean one TPM, and that the TPM
// belongs to a registered device. Our model; see the package comment.
func (s *Service) asDevice(j *joining) error {
	var err error
	if j.tenant, err = s.dir.Tenant(j.req.TargetDomain); err != nil {
		return no("tenant", wire.DirectoryError, wire.SubTenantNotFound, err)
	}
	ticket, err := s.ticket(j)
	if err != nil {
		return err
	}
	if !ticket.TPMValidated {
		return no("ticket TPM", wire.AuthorizationError, wire.SubMsaTicketTPM, errors.New("the ticket was given without proof of a TPM"))
	}
	if s.settings.Attestation == nil {
		return no("AIK certificate", wire.AuthorizationError, wire.SubAIK, errors.New("nobody verifies AIK certificates"))
	}
	aik, ekHash, err := s.settings.Attestation.Attested(j.req.AikCertificate, s.Now())
	switch {
	case errors.Is(err, service.ErrAIKExpired):
		return no("AIK certificate", wire.AuthorizationError, wire.SubAIKExpired, err)
	case err != nil:
		return no("AIK certificate", wire.AuthorizationError, wire.SubAIK, err)
	}
	if err := s.attestation(j, aik); err != nil {
		return err
	}
	if ticket.EKHash != hex.EncodeToString(ekHash[:]) {
		return no("ticket EK", wire.AuthorizationError, wire.SubMsaTicketTPM, errors.New("ticket and AIK are of two TPMs"))
	}
	j.join.Attested = true
	return s.reuse(j, ticket, true)
}

// ticket verifies the device ticket of a request.
func (s *Service) ticket(j *joining) (msa.Claims, error) {
	if s.settings.Tickets == nil || len(j.req.Attributes.DeviceTicket) == 0 {
		return msa.Claims{}, no("ticket", wire.AuthorizationError, wire.SubMsaTicket, errors.New("there is no device ticket"))
	}
	ticket, err := s.settings.Tickets.VerifyTicket(string(j.req.Attributes.DeviceTicket), "", s.Now())
	if err == nil && ticket.Audience != msa.ScopeDeployment && ticket.Audience != hosts.Registration {
		err = msa.ErrAudience
	}
	if err != nil {
		return msa.Claims{}, no("ticket", wire.AuthorizationError, wire.SubMsaTicket, err)
	}
	return ticket, nil
}

// attestation checks that the AIK vouches for the request's key, over a nonce
// that this service gave and that is spent now.
func (s *Service) attestation(j *joining, aik *x509.Certificate) error {
	refuse := func(check string, err error) error {
		return no("attestation "+check, wire.AuthorizationError, wire.SubAttestation, err)
	}
	value := j.r.Header.Get(wire.HeaderNonce)
	if err := s.nonces.Take(value, j.tenant.ID, s.Now()); err != nil {
		return refuse("nonce", err)
	}
	statement, err := service.ParseKeyAttestation(j.req.AttestationData)
	if err != nil {
		return refuse(string(tpmattest.CheckOf(err)), err)
	}
	qualifying := wire.QualifyingData(j.csr.RawSubjectPublicKeyInfo, value)
	if err := service.VerifyCertified(aik.PublicKey, statement, qualifying[:], j.csr.PublicKey); err != nil {
		return refuse(string(tpmattest.CheckOf(err)), err)
	}
	return nil
}

// reuse finds the Autopilot object of the hardware. A device that joins by
// itself must have one; a user's device without one gets a new object.
func (s *Service) reuse(j *joining, ticket msa.Claims, must bool) error {
	var ek [32]byte
	if ticket.TPMValidated {
		b, err := hex.DecodeString(ticket.EKHash)
		if err != nil || len(b) != len(ek) {
			return no("ticket EK", wire.AuthorizationError, wire.SubMsaTicketTPM, errors.New("the ticket names no endorsement key"))
		}
		ek = [32]byte(b)
	}
	dev, err := s.dir.ByHardware(j.tenant.ID, ticket.HardwareID, ek)
	switch {
	case err == nil && !dev.Enabled:
		return no("device enabled", wire.AuthorizationError, "", tenant.ErrDisabled)
	case err == nil && (must || j.req.Attributes.ReuseDevice):
		j.join.DeviceID = dev.DeviceID
	case err == nil:
	case s.dir.WasDeleted(j.tenant.ID, ticket.HardwareID, ek):
		return no("Autopilot device object", wire.DirectoryError, wire.SubAutopilotDeviceDeleted, errors.New("the device object was deleted"))
	case must:
		return no("Autopilot registration", wire.AuthorizationError, wire.SubAutopilotDeviceNotKnown, err)
	}
	return nil
}

// write issues the certificate and the object in one go.
func (s *Service) write(j *joining) (*wire.JoinResponse, error) {
	var cert *x509.Certificate
	j.join.TenantID, j.join.KeyHash = j.tenant.ID, sha256.Sum256(j.csr.RawSubjectPublicKeyInfo)
	j.join.Certify = func(d tenant.Device) (string, error) {
		var err error
		if cert, err = s.certify(j, d); err != nil {
			return "", err
		}
		return pki.Thumbprint(cert), nil
	}
	dev, err := s.dir.Join(j.join)
	switch {
	case errors.Is(err, tenant.ErrQuota):
		return nil, no("device quota", wire.DirectoryError, wire.SubQuota, err)
	case err != nil:
		return nil, err
	}
	s.Record(j.r.Context(), "entra.device.joined", journal.F("deviceId", dev.DeviceID), journal.F("tenant", dev.TenantID),
		journal.F("trust", dev.TrustType), journal.F("user", j.upn), journal.F("attested", dev.Attested), journal.F("reused", j.join.DeviceID != ""))
	admins, err := s.administrators(j)
	if err != nil {
		return nil, err
	}
	return &wire.JoinResponse{
		Certificate: wire.Certificate{Thumbprint: dev.Thumbprint, RawBody: cert.Raw}, User: wire.User{UPN: j.upn},
		MembershipChanges: []wire.MembershipChange{{LocalSID: wire.AdministratorsSID, AddSIDs: admins}},
	}, nil
}

func (s *Service) certify(j *joining, d tenant.Device) (*x509.Certificate, error) {
	ext, err := wire.Identity{
		DeviceID: d.DeviceID, UserID: j.join.Owner, TenantID: d.TenantID,
		Joined: d.TrustType != wire.JoinRegister.Trust(), Region: s.settings.Region,
	}.Extensions()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return s.ca.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: d.DeviceID}, NotAfter: s.Timing.Entra.DeviceCertificateLife.After(now),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ExtraExtensions: ext,
	}, j.csr.PublicKey)
}

// administrators are the SIDs that the device puts into its administrators
// group: two roles of the tenant, whose ids are drawn from the seed.
func (s *Service) administrators(j *joining) ([]string, error) {
	var out []string
	for _, role := range []string{"global administrators", "device administrators"} {
		sid, err := wire.SID(s.Seed.UUID("role", j.tenant.ID, role))
		if err != nil {
			return nil, err
		}
		out = append(out, sid)
	}
	return out, nil
}
