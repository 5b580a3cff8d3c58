package health

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/tcglog"
	"windtunnel.test/sim/wire/tpmattest"
)

// report judges a request. The challenge is spent whatever comes of it.
func (s *Service) report(r *http.Request, compact string) (*maa.ToClient, error) {
	req, err := maa.OpenRequest(compact)
	if err != nil {
		check := "request"
		if errors.Is(err, maa.ErrSignature) {
			check = "attest key"
		}
		return nil, &refusal{check, maa.CodeInvalid, err.Error()}
	}
	if err := s.fresh(req.Data); err != nil {
		return nil, err
	}
	aik, err := s.trustAIK(req.Data.TPM)
	if err != nil {
		return nil, err
	}
	quote, values, err := verifyQuote(aik, req.Data)
	if err != nil {
		return nil, err
	}
	log, err := verifyLog(req.Data.TPM.BootLog, values)
	if err != nil {
		return nil, err
	}
	claims, err := s.claims(req.Data, aik, quote, log, values)
	if err != nil {
		return nil, err
	}
	token, err := s.signer.Sign(claims)
	if err != nil {
		return nil, err
	}
	s.Record(r.Context(), "health.report", journal.F("secureBoot", claims.SecureBoot), journal.F("bitLocker", claims.BitLocker),
		journal.F("codeIntegrity", claims.CodeIntegrity), journal.F("resets", claims.ResetCount))
	return &maa.ToClient{Report: token}, nil
}

// fresh checks that the request answers a challenge of this service that is
// still open, and closes it.
func (s *Service) fresh(d maa.Data) error {
	if !hmac.Equal(d.ServiceContext, s.contextOf(d.Challenge)) {
		return &refusal{"service context", maa.CodeInvalid, "it is not the one of this challenge"}
	}
	switch err := s.nonces.Take(string(d.Challenge), "", s.Now()); {
	case errors.Is(err, service.ErrNonceExpired):
		return &refusal{"challenge expired", maa.CodeInvalid, err.Error()}
	case err != nil:
		return &refusal{"challenge unknown or used", maa.CodeInvalid, err.Error()}
	}
	return nil
}

// trustAIK checks that the AIK service certified the key that is said to sign.
func (s *Service) trustAIK(t maa.TPMData) (*x509.Certificate, error) {
	const check = "AIK certificate"
	if s.settings.Attestation == nil {
		return nil, &refusal{check, maa.CodeFailed, "the service knows no attestation service"}
	}
	aik, _, err := s.settings.Attestation.Attested(t.AIKCertificate, s.Now())
	if err != nil {
		return nil, &refusal{check, maa.CodeFailed, err.Error()}
	}
	if key, ok := t.AIKPublic.Key.(*rsa.PublicKey); !ok || !key.Equal(aik.PublicKey) {
		return nil, &refusal{check, maa.CodeFailed, "it is about another key than aik_pub"}
	}
	return aik, nil
}

// verifyQuote checks that the AIK signed, over this challenge, for all of the
// claim's registers (a policy's required_pcr_mask is 0xFFFFFF unless it says
// otherwise: learn.microsoft.com/azure/attestation/policy-version-1-2).
func verifyQuote(aik *x509.Certificate, d maa.Data) (*tpmattest.Attest, [tcglog.PCRs][]byte, error) {
	claim, err := maa.ParseClaim(d.TPM.CurrentClaim)
	if err != nil {
		return nil, claim.Values, &refusal{"claim", maa.CodeInvalid, err.Error()}
	}
	qualifying, err := maa.Qualifying(d.Challenge, d.AttestKey.Key)
	if err != nil {
		return nil, claim.Values, &refusal{"attest key", maa.CodeInvalid, err.Error()}
	}
	quote, err := tpmattest.VerifyQuote(aik.PublicKey, claim.Quote, claim.Signature, qualifying, nil)
	if err != nil {
		return nil, claim.Values, &refusal{"quote " + string(tpmattest.CheckOf(err)), maa.CodeFailed, err.Error()}
	}
	if !all(quote.Quote.PCRSelect) {
		return nil, claim.Values, &refusal{"quote registers", maa.CodeFailed, "not all registers of the SHA-256 bank are quoted"}
	}
	h := sha256.New()
	for _, v := range claim.Values {
		h.Write(v)
	}
	if !hmac.Equal(h.Sum(nil), quote.Quote.PCRDigest.Buffer) {
		return nil, claim.Values, &refusal{"quote PCR digest", maa.CodeFailed, "the quote is of other register values than the claim's"}
	}
	return quote, claim.Values, nil
}

// all tells whether a selection is the whole SHA-256 bank and nothing else.
func all(s tpm2.TPMLPCRSelection) bool {
	if len(s.PCRSelections) != 1 || s.PCRSelections[0].Hash != tpm2.TPMAlgSHA256 {
		return false
	}
	mask := s.PCRSelections[0].PCRSelect
	if len(mask) != tcglog.PCRs/8 {
		return false
	}
	for _, b := range mask {
		if b != 0xff {
			return false
		}
	}
	return true
}

// verifyLog checks the log against the registers: every word is covered by its
// digest, and the digests replay to the values.
func verifyLog(raw []byte, values [tcglog.PCRs][]byte) (*tcglog.Log, error) {
	log, err := tcglog.Parse(raw)
	if err != nil {
		return nil, &refusal{"event log", maa.CodeFailed, err.Error()}
	}
	if err := log.Check(tcglog.SHA256); err != nil {
		return nil, &refusal{"event digest", maa.CodeFailed, err.Error()}
	}
	replayed, err := log.Replay(tcglog.SHA256)
	if err != nil {
		return nil, &refusal{"event log", maa.CodeFailed, err.Error()}
	}
	for pcr, v := range replayed {
		if !hmac.Equal(v, values[pcr]) {
			return nil, &refusal{"event log replay", maa.CodeFailed, "register " + strconv.Itoa(pcr) + " is not what the log replays to"}
		}
	}
	return log, nil
}

// claims says what the evidence shows, in the words of the sample policy.
func (s *Service) claims(d maa.Data, aik *x509.Certificate, quote *tpmattest.Attest, log *tcglog.Log, values [tcglog.PCRs][]byte) (maa.Report, error) {
	w, err := log.Windows()
	if err != nil {
		return maa.Report{}, &refusal{"event log", maa.CodeFailed, err.Error()}
	}
	now, key := s.Now(), sha256.Sum256(aik.RawSubjectPublicKeyInfo)
	clock := quote.Header.ClockInfo
	return maa.Report{
		Issuer: Issuer, ID: s.NewID("report"), IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(s.Timing.TPM.HealthReportLife).Unix(),
		Version: "1.0", MSVersion: "1.0", RelyingData: d.RelyingData, Nonce: d.RelyingData, Confirmation: maa.Confirmation{Key: d.AttestKey},
		AIKValidated: true, AIKPublicHash: base64.StdEncoding.EncodeToString(key[:]), TPMVersion: 2,
		ResetCount: clock.ResetCount, RestartCount: clock.RestartCount, PCRHash: uint16(tcglog.SHA256), PCR0: values[0],
		SecureBoot: w.SecureBoot, BitLocker: w.Unlock != tcglog.UnlockNone, BitLockerValue: w.Unlock, CodeIntegrity: w.CodeIntegrity,
		BootDebuggingDisabled: !w.BootDebug, OSDebuggingDisabled: !w.KernelDebug, TestSigningDisabled: !w.TestSigning,
		FlightSigningDisabled: !w.FlightSigning, NotSafeMode: !w.SafeMode, NotWinPE: !w.WinPE,
		VBS: w.VSM, HVCI: w.HVCI, IOMMU: w.IOMMU, DEPPolicy: w.DEP, ELAM: w.ELAM,
	}, nil
}
