package mdm

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/scep"
)

const day = 24 * time.Hour

// keepRenewal notes how the server wants the certificate renewed
// (CertificateStore CSP, My/WSTEP/Renew). What it leaves out is Windows' own.
func keepRenewal(w *device.Windows, base string, c mde.ClientCertificate) {
	r := w.Registry()
	if !c.ROBOSupport || c.RenewPeriod <= 0 {
		r.Delete(base, "RenewPeriod")
		return
	}
	retry := c.RetryInterval
	if retry <= 0 {
		retry = int(w.Timing.MDM.CertificateRenewRetry / day)
	}
	r.SetDWORD(base, "RenewPeriod", uint32(c.RenewPeriod))
	r.SetDWORD(base, "RetryInterval", uint32(retry))
	r.Delete(base, "RenewAttempt")
}

// untilRenewal is the time to the next attempt to renew the MDM certificate;
// false where there will be none: the server does not renew by itself, or the
// certificate has ended (learn.microsoft.com, "Certificate renewal": Windows
// does not renew one that is expired).
func untilRenewal(w *device.Windows) (time.Duration, bool) {
	key := enrollmentKey(w)
	r := w.Registry()
	period, ok := r.DWORD(key, "RenewPeriod")
	if !ok {
		return 0, false
	}
	held, ok := w.Disk.Certs.Find(device.StoreMySystem, certMDM)
	if !ok {
		return 0, false
	}
	cert, err := held.Parse()
	if err != nil {
		return 0, false
	}
	now := w.Now()
	at := cert.NotAfter.Add(-time.Duration(period) * day)
	if last, err := time.Parse(timeLayout, r.String(key, "RenewAttempt")); err == nil && !last.After(now) {
		retry, _ := r.DWORD(key, "RetryInterval")
		if again := last.Add(time.Duration(max(retry, 1)) * day); again.After(at) {
			at = again
		}
	}
	if at.Before(now) {
		at = now
	}
	return at.Sub(now), !at.After(cert.NotAfter)
}

// Renew asks for a new MDM certificate in the name of the one that ends (ROBO,
// renewal on behalf of): with a new key in the TPM, over a connection that the
// old certificate opens, in a request that it signs. The old key goes when the
// new certificate is there. No session runs meanwhile.
func Renew(w *device.Windows) error {
	lock := oneAtATime(w)
	if err := lock.Acquire(w.Ctx, 1); err != nil {
		return err
	}
	defer lock.Release(1)
	cert, err := renew(w)
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	if err != nil {
		code, _ := hresult.CodeOf(err)
		w.Log(device.LogMDM, 404, "Error", "MDM certificate renewal: failed: "+err.Error())
		w.Event("mdm.renewal.failed", journal.F("code", code.Hex()), journal.F("error", err.Error()))
		return err
	}
	w.Log(device.LogMDM, 4, "Information", "MDM certificate renewal: succeeded")
	w.Event("mdm.renewed", journal.F("notAfter", cert.NotAfter))
	return nil
}

func renew(w *device.Windows) (*x509.Certificate, error) {
	const op = "MDM certificate renewal"
	base, r := enrollmentKey(w), w.Registry()
	held, ok := w.Disk.Certs.Find(device.StoreMySystem, certMDM)
	address := r.String(base, "EnrollmentServiceURL")
	if base == "" || !ok || address == "" {
		return nil, hresult.New(op, hresult.EnrollNotEnrolled, nil)
	}
	r.SetString(base, "RenewAttempt", w.Now().UTC().Format(timeLayout))
	old, err := identity(w, held)
	if err != nil {
		return nil, hresult.New(op, hresult.BadKeyset, err)
	}
	client, err := w.HTTPWith(held)
	if err != nil {
		return nil, hresult.New(op, hresult.BadKeyset, err)
	}
	next := keyMDM
	if held.Container == next {
		next = keyRenewed
	}
	request, err := renewalRequest(w, old, next)
	if err != nil {
		return nil, hresult.New(op, hresult.EnrollPrivateKeyCreation, err)
	}
	result, err := callWith(w, client, op, address, func(h mde.Header) ([]byte, error) {
		return mde.EncodeEnrol(h, &mde.Enrol{Renew: true, Request: request, Context: mde.Context{
			DeviceType: mde.DeviceType, ApplicationVersion: "10.0." + w.Installation.Build, EmmDeviceID: r.String(base, "EntDMID"),
		}})
	}, mde.DecodeEnrolResult)
	if err != nil {
		return nil, err
	}
	p, cert, err := certificates(w, result.Provisioning, next)
	if err != nil {
		return nil, err
	}
	w.Disk.Keys.Delete(held.Container)
	keepRenewal(w, base, p.Client)
	return cert, nil
}

func identity(w *device.Windows, held device.Certificate) (scep.Identity, error) {
	cert, err := held.Parse()
	if err != nil {
		return scep.Identity{}, err
	}
	key, err := w.Key(w.Ctx, held.Container)
	if err != nil {
		return scep.Identity{}, err
	}
	return scep.Identity{Certificate: cert, Key: key.In(w.Ctx)}, nil
}

// renewalRequest makes the new key and the request for it, signed with the old
// certificate.
func renewalRequest(w *device.Windows, old scep.Identity, container string) ([]byte, error) {
	key, err := w.NewKey(w.Ctx, container)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: w.Hardware.UUID}, SignatureAlgorithm: x509.SHA256WithRSA,
	}, key.In(w.Ctx))
	if err != nil {
		return nil, err
	}
	return mde.SignRenewal(request, old)
}
