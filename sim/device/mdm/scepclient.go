package mdm

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/scep"
)

const opSCEP = "SCEP enrolment"

// refusedError is a failure that another attempt would not mend.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

func refused(code hresult.Code, err error) error {
	return &refusedError{hresult.New(opSCEP, code, err)}
}

// scepEnrolment is the client of RFC 8894 for one instance of the CSP.
type scepEnrolment struct {
	w        *device.Windows
	sid, key string
	s        csp.SCEP

	url    string // of the server that is asked
	caps   scep.Capabilities
	ra, ca *x509.Certificate // who opens envelopes, and who issues
	own    *scepKeyPair
}

// try is one attempt, at each of the servers in turn until one answers.
func (e *scepEnrolment) try() error {
	var last error
	for address := range strings.SplitSeq(e.w.Registry().String(e.key, csp.SCEPServerURL), ";") {
		if address = strings.TrimSpace(address); address == "" {
			continue
		}
		e.url = address
		if last = e.at(); last == nil {
			e.w.Registry().SetString(e.key, csp.SCEPRespondent, address)
			return nil
		}
		var no *refusedError
		if errors.As(last, &no) || errors.Is(last, errWaiting) {
			return last
		}
	}
	return last
}

func (e *scepEnrolment) at() error {
	if err := e.authority(); err != nil {
		return err
	}
	var err error
	if e.own, err = openSCEPKey(e.w, e.sid, e.s, e.w.Registry().String(e.key, csp.SCEPProtection)); err != nil {
		return refused(hresult.PCPDeviceNotReady, err)
	}
	signer, err := scep.NewSigner(e.own, e.w.Now(), e.w.Timing.TPM.RequestSignerLife, e.w.RandomReader())
	if err != nil {
		return hresult.New(opSCEP, hresult.PCPInternalError, err)
	}
	m, err := e.message(signer)
	if err != nil {
		return err
	}
	der, err := m.Sign(signer)
	if err != nil {
		return hresult.New(opSCEP, hresult.PCPInternalError, err)
	}
	body, err := e.ask(scep.OpPKIOperation, der)
	if err != nil {
		return err
	}
	return e.answer(m, body, signer)
}

// authority asks what the server can and who it is. A certificate that is not
// the one that the MDM server named ends the enrolment.
func (e *scepEnrolment) authority() error {
	body, err := e.ask(scep.OpGetCACaps, nil)
	if err != nil {
		return err
	}
	e.caps = scep.ParseCapabilities(body)
	if body, err = e.ask(scep.OpGetCACert, nil); err != nil {
		return err
	}
	certs, err := scep.ParseCertificates(body)
	if err != nil { // a server without a registration authority sends its one certificate bare
		one, bare := pki.Parse(body)
		if bare != nil {
			return hresult.New(opSCEP, hresult.InvalidData, err)
		}
		certs = []*x509.Certificate{one}
	}
	e.ra, e.ca = nil, nil
	for _, c := range certs {
		if _, isRSA := c.PublicKey.(*rsa.PublicKey); isRSA && (e.ra == nil || c.KeyUsage&x509.KeyUsageKeyEncipherment != 0 && !c.IsCA) {
			e.ra = c
		}
		if c.IsCA || e.ca == nil {
			e.ca = c
		}
	}
	if e.ra == nil {
		return hresult.New(opSCEP, hresult.InvalidData, errors.New("none of the server's certificates can open a request"))
	}
	want := strings.ReplaceAll(e.w.Registry().String(e.key, csp.SCEPCAThumbprint), " ", "")
	if want == "" {
		return nil
	}
	for _, c := range certs {
		if strings.EqualFold(thumbprint(c.Raw), want) {
			return nil
		}
	}
	return refused(hresult.CertUntrustedRoot, errors.New("the server's certificates are not what CAThumbprint names"))
}

// message is the request, or the question after one that waits.
func (e *scepEnrolment) message(signer scep.Identity) (scep.Message, error) {
	r, random := e.w.Registry(), e.w.RandomReader()
	nonce, err := scep.NewNonce(random)
	if err != nil {
		return scep.Message{}, hresult.New(opSCEP, hresult.Unexpected, err)
	}
	m := scep.Message{Attributes: scep.Attributes{MessageType: scep.PKCSReq, TransactionID: r.String(e.key, scepTransaction), SenderNonce: nonce}}
	var content []byte
	if m.TransactionID != "" {
		m.MessageType = scep.CertPoll
		subject, err := e.subject()
		if err != nil {
			return scep.Message{}, err
		}
		content, err = scep.MarshalIssuerAndSubject(e.ca.RawSubject, subject)
		if err != nil {
			return scep.Message{}, hresult.New(opSCEP, hresult.InvalidData, err)
		}
	} else {
		// A hash of the key, as RFC 8894 3.2.1.1 has it, and of the instance: pooled
		// keys belong to more than one PC.
		sum := sha1.Sum([]byte(thumbprint(signer.Certificate.RawSubjectPublicKeyInfo) + e.w.Hardware.UUID + e.sid + e.s.ID)) //nolint:gosec // a name, not a proof
		m.TransactionID = hex.EncodeToString(sum[:])
		if content, err = e.request(); err != nil {
			return scep.Message{}, err
		}
	}
	cipher := scep.TripleDES
	if e.caps.Has("AES") || e.caps.Has("SCEPStandard") {
		cipher = scep.AES128
	}
	if m.Content, err = scep.SealWith(cipher, content, e.ra, random); err != nil {
		return scep.Message{}, hresult.New(opSCEP, hresult.InvalidData, err)
	}
	return m, nil
}

// answer takes what the server says of a message.
func (e *scepEnrolment) answer(sent scep.Message, body []byte, signer scep.Identity) error {
	m, err := scep.Parse(body)
	if err != nil {
		return hresult.New(opSCEP, hresult.InvalidData, err)
	}
	if err := m.CheckReply(sent.Attributes); err != nil {
		return hresult.New(opSCEP, hresult.InvalidData, err)
	}
	if !m.Signer.Equal(e.ra) && !m.Signer.Equal(e.ca) {
		return hresult.New(opSCEP, hresult.BadSignature, errors.New("the answer is signed by somebody else"))
	}
	switch m.Status {
	case scep.Pending:
		e.w.Registry().SetString(e.key, scepTransaction, sent.TransactionID)
		return hresult.New(opSCEP, hresult.WaitTimeout, errWaiting)
	case scep.Success:
	default:
		return refused(hresult.AccessDenied, errors.New(m.FailInfo.String()+" "+m.FailText))
	}
	content, err := scep.Open(m.Content, signer)
	if err != nil {
		return hresult.New(opSCEP, hresult.InvalidData, err)
	}
	certs, err := scep.ParseCertificates(content)
	if err != nil {
		return hresult.New(opSCEP, hresult.InvalidData, err)
	}
	for _, c := range certs {
		if same, ok := c.PublicKey.(*rsa.PublicKey); ok && same.Equal(e.own.Public()) {
			e.install(c)
			return nil
		}
	}
	return hresult.New(opSCEP, hresult.InvalidData, errors.New("no certificate in the answer is about our key"))
}

// install puts the certificate into the store; the thumbprint comes after it,
// so that the loss of power in between only means that it is asked for again.
func (e *scepEnrolment) install(c *x509.Certificate) {
	w := e.w
	w.PutCertificate(device.Certificate{Store: store(e.sid), Name: e.s.ID, DER: c.Raw, Container: e.own.container})
	w.Registry().SetString(e.key, csp.SCEPThumbprint, thumbprint(c.Raw))
	w.Registry().Delete(e.key, scepTransaction)
	w.Event("certificate.installed", journal.F("name", e.s.ID), journal.F("subject", c.Subject.String()), journal.F("scope", e.sid))
}

// ask makes one request: by POST where there is a message and the server takes
// it so, else by GET (RFC 8894 4.1).
func (e *scepEnrolment) ask(operation string, message []byte) ([]byte, error) {
	u, err := url.Parse(e.url)
	if err != nil {
		return nil, refused(hresult.InternetInvalidURL, err)
	}
	if !strings.HasSuffix(strings.ToLower(u.Path), "/pkiclient.exe") {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/pkiclient.exe"
	}
	q := url.Values{"operation": {operation}}
	request := device.Request{Op: opSCEP, Method: http.MethodGet, Header: http.Header{"User-Agent": {"Mozilla/4.0 (compatible; Win32; NDES client)"}}}
	switch {
	case operation == scep.OpGetCACert:
		q.Set("message", "MS DM Server")
	case message != nil && (e.caps.Has("POSTPKIOperation") || e.caps.Has("SCEPStandard")):
		request.Method, request.Body = http.MethodPost, message
		request.Header.Set("Content-Type", scep.TypePKIMessage)
	case message != nil:
		q.Set("message", base64.StdEncoding.EncodeToString(message))
	}
	u.RawQuery = q.Encode()
	request.URL = u.String()
	resp, err := e.w.Do(request)
	switch {
	case err != nil:
		return nil, err
	case resp.Status != http.StatusOK:
		return nil, hresult.New(opSCEP, hresult.FromHTTPStatus(resp.Status), errors.New(operation))
	}
	return resp.Body, nil
}
