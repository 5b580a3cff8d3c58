package drs

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	wire "windtunnel.test/sim/wire/drs"
)

// syncJoin has a computer of Active Directory claim the device object that the
// directory sync has made for it (PUT /EnrollmentServer/device/{objectGUID},
// without a token). Its proof is a signature of the key of its userCertificate.
func (s *Service) syncJoin(w http.ResponseWriter, r *http.Request, guid string) {
	response, err := s.doSyncJoin(r, guid)
	if err == nil {
		service.WriteJSON(w, http.StatusOK, response)
		return
	}
	s.refused(w, r, opSyncJoin, err)
}

// opSyncJoin names the claims. All that are refused are bad requests, whatever
// the reason is (learn.microsoft.com, "Troubleshoot Microsoft Entra hybrid joined
// devices": Https Status beside Server ErrorCode).
const opSyncJoin = "drs.syncJoin"

var (
	errJoinType  = errors.New("only a hybrid join is claimed in this way")
	errForeign   = errors.New("the request is for another tenant than the domain's")
	errIdentity  = errors.New("the kind of client identity is not known")
	errTargetSID = errors.New("the verification of the target computer's SID failed") // the words of the "troubleshoot hybrid join" page
	errMoment    = errors.New("the signature is not of this moment")
)

func (s *Service) doSyncJoin(r *http.Request, guid string) (*wire.JoinResponse, error) {
	if err := version(r, "1.0", "2.0"); err != nil {
		return nil, err
	}
	body, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	request, csr, err := wire.ParseSyncJoinRequest(body)
	if err != nil {
		return nil, no("message", wire.MalformedMessage, "", err)
	}
	if request.JoinType != wire.JoinHybrid {
		return nil, no("join type", wire.InvalidRequest, "", errJoinType)
	}
	claimed := request.ServerAdJoinData
	j := &joining{r: r, csr: csr}
	if j.tenant, err = s.dir.Tenant(claimed.TargetDomainID); err != nil {
		return nil, no("tenant", wire.DirectoryError, wire.SubTenantNotFound, fmt.Errorf("AADSTS90002: Tenant '%s' not found", claimed.TargetDomainID))
	}
	if claimed.TargetDomain != "" && !j.tenant.Has(claimed.TargetDomain) {
		return nil, no("target domain", wire.AuthorizationError, "", errForeign)
	}
	if !s.bursts.allow(j.tenant.ID+"/"+strings.ToLower(guid), s.Now(), s.Timing.Join.ThrottleRetry, s.Timing.Join.ThrottleBurst) {
		return nil, no("request rate", wire.DirectoryError, "", fmt.Errorf("the directory is busy with this device; retry after %.0f seconds", s.Timing.Join.ThrottleRetry.Seconds()))
	}
	if j.join, err = keysOf(claimed.TransportKey, csr); err != nil {
		return nil, err
	}
	dev, err := s.dir.Device(j.tenant.ID, guid)
	if err != nil || dev.OnPremises == nil {
		return nil, no("device object", wire.DirectoryError, "", fmt.Errorf("the device object by the given id (%s) is not found", guid))
	}
	if !dev.Enabled {
		return nil, no("device enabled", wire.AuthorizationError, "", tenant.ErrDisabled)
	}
	if j.join.Claimed, err = s.identify(claimed.ClientIdentity, dev); err != nil {
		return nil, err
	}
	j.join.Trust, j.join.DeviceID = wire.JoinHybrid.Trust(), dev.DeviceID
	j.join.DisplayName, j.join.OSVersion = claimed.DeviceDisplayName, claimed.OSVersion
	response, err := s.write(j)
	if errors.Is(err, tenant.ErrReplayed) {
		return nil, no("client identity replay", wire.AuthenticationError, "", err)
	}
	return response, err
}

// keysOf checks the two keys that a join brings.
func keysOf(transportKey []byte, csr *x509.CertificateRequest) (tenant.Join, error) {
	transport, blob, err := wire.DecodeTransportKey(transportKey)
	if err == nil && transport.N.BitLen() < minRSABits {
		err = errShortKey
	}
	if err != nil {
		return tenant.Join{}, no("transport key", wire.MalformedMessage, "", err)
	}
	if key, ok := csr.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < minRSABits {
		return tenant.Join{}, no("device key", wire.MalformedMessage, "", errShortKey)
	}
	return tenant.Join{TransportKey: blob}, nil
}

// identify checks that whoever asks holds the key of the certificate that the
// directory sync found on the computer's object, and gives the moment of the
// signature.
func (s *Service) identify(id wire.ClientIdentity, dev tenant.Device) (time.Time, error) {
	refuse := func(check string, err error) (time.Time, error) {
		return time.Time{}, no("client identity "+check, wire.AuthenticationError, "", err)
	}
	if id.Type != wire.ClientIdentitySigned {
		return refuse("type", errIdentity)
	}
	sid, at, err := wire.ParseSignedSID(id.SID)
	if err != nil {
		return refuse("text", err)
	}
	cert, err := x509.ParseCertificate(dev.OnPremises.Certificate)
	if err != nil {
		return refuse("certificate", errors.Join(errTargetSID, err))
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() > maxClaimBits {
		return refuse("certificate", errTargetSID)
	}
	digest := sha256.Sum256([]byte(id.SID))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], id.SignedBlob) != nil {
		return refuse("signature", errTargetSID)
	}
	if sid != dev.OnPremises.SID {
		return refuse("SID", errTargetSID)
	}
	if off := s.Now().Sub(at).Abs(); off > s.Timing.Hybrid.ClockSkew {
		return refuse("moment", fmt.Errorf("%w: it is off by %v", errMoment, off))
	}
	return at, nil
}

// maxClaimBits bounds what a verification costs: the certificate comes from a
// directory in which computers write it themselves.
const maxClaimBits = 8192

// bursts counts the claims of each object in a window. It is in memory: a
// service that starts anew begins to count anew.
type bursts struct {
	mu   sync.Mutex
	seen map[string]burst
}

type burst struct {
	since time.Time
	n     int
}

// rememberedBursts is how many objects are counted before old windows are
// dropped.
const rememberedBursts = 4096

func (b *bursts) allow(key string, now time.Time, window time.Duration, most int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) >= rememberedBursts {
		for k, v := range b.seen {
			if now.Sub(v.since) >= window {
				delete(b.seen, k)
			}
		}
	}
	v := b.seen[key]
	if v.n == 0 || now.Sub(v.since) >= window {
		v = burst{since: now}
	}
	v.n++
	if b.seen == nil {
		b.seen = map[string]burst{}
	}
	b.seen[key] = v
	return v.n <= most
}
