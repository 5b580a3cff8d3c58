package msa

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"windtunnel.test/fakeentra/service"
	wire "windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/tpmattest"
)

// prove checks that the AIK is certified and that it signed this request, and
// puts into the claims which TPM it is in.
func (s *Service) prove(req wire.TicketRequest, claims *wire.Claims, now time.Time) error {
	reject := func(check string, err error) error {
		return &refusal{check, wire.StatusTPMNotValidated, err.Error()}
	}
	if s.settings.Attestation == nil {
		return reject("AIK certificate", errors.New("the service knows no attestation service"))
	}
	aik, ekHash, err := s.settings.Attestation.Attested(req.Proof.AIKCertificates[0], now)
	if err != nil {
		return reject("AIK certificate", err)
	}
	statement, err := service.ParseKeyAttestation(req.Proof.Statement)
	if err != nil {
		return reject("statement "+string(tpmattest.CheckOf(err)), err)
	}
	digest := req.ProofDigest()
	if err := service.VerifyStatement(aik.PublicKey, statement, digest[:]); err != nil {
		return reject("statement "+string(tpmattest.CheckOf(err)), err)
	}
	sum := sha256.Sum256(aik.Raw)
	claims.TPMValidated = true
	claims.EKHash, claims.AIKHash = hex.EncodeToString(ekHash[:]), hex.EncodeToString(sum[:])
	return nil
}
