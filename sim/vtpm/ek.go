package vtpm

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// EKCertificate reads the vendor's certificate of the endorsement key from NV,
// with whatever stands behind it there. It looks where Windows does: at the
// index of an RSA-2048 EK, then at that of an RSA-3072 one. ErrNoCertificate
// says that there is none.
func (c *Chip) EKCertificate(ctx context.Context) ([]byte, error) {
	return c.readNV(ctx, "EK certificate", certificateRSA2048, certificateRSA3072)
}

// SecondEKCertificate reads that of an ECC P-256 EK.
func (c *Chip) SecondEKCertificate(ctx context.Context) ([]byte, error) {
	return c.readNV(ctx, "ECC EK certificate", certificateECC256)
}

// readNV reads the first index of several that is there.
func (c *Chip) readNV(ctx context.Context, what string, indexes ...tpm2.TPMHandle) ([]byte, error) {
	var data []byte
	err := c.Do(ctx, "TPM2_NV_Read", Cost{Light: len(indexes), NVRead: 2}, func(t transport.TPM) error {
		for _, index := range indexes {
			size, err := nvSize(t, index)
			if errors.Is(err, ErrNoCertificate) {
				continue
			}
			if err == nil {
				data, err = nvFetch(t, index, size)
			}
			return err
		}
		return ErrNoCertificate
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: %s of %s: %w", what, c.id, err)
	}
	return data, nil
}

// CertificateChain reads the authorities between the vendor's root and the EK
// certificate, DER, that some parts keep in NV. A part without has none.
func (c *Chip) CertificateChain(ctx context.Context) ([][]byte, error) {
	var chain [][]byte
	err := c.Do(ctx, "TPM2_NV_Read", Cost{Light: 3, NVRead: 4}, func(t transport.TPM) error {
		for index := chainIndex; index < chainIndex+2; index++ {
			size, err := nvSize(t, index)
			if errors.Is(err, ErrNoCertificate) {
				return nil
			}
			if err != nil {
				return err
			}
			der, err := nvFetch(t, index, size)
			if err != nil {
				return err
			}
			chain = append(chain, der)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: certificate chain of %s: %w", c.id, err)
	}
	return chain, nil
}

// MakeEK makes the EK that Windows uses from its template, where it is not at
// its persistent handle. An RSA-3072 one is refused with TPM_RC_VALUE.
func (c *Chip) MakeEK(ctx context.Context) error {
	err := c.Do(ctx, "TPM2_CreatePrimary", Cost{CreateRSA: 1, NVWrite: 1, Light: 2}, func(t transport.TPM) error {
		_, err := makeMissing(t, tpm2.TPMRHEndorsement, ekHandle, c.model.ekTemplate())
		return err
	})
	if err != nil {
		return fmt.Errorf("vtpm: make EK of %s: %w", c.id, err)
	}
	return nil
}

// ExtendPCR extends a register of the SHA-256 bank with a digest.
func (c *Chip) ExtendPCR(ctx context.Context, pcr int, digest [32]byte) error {
	if pcr < 0 || pcr >= pcrCount {
		return fmt.Errorf("vtpm: no PCR %d", pcr)
	}
	err := c.Do(ctx, "TPM2_PCR_Extend", Cost{Extend: 1}, func(t transport.TPM) error {
		return pcrExtend(t, pcr, tpm2.TPMAlgSHA256, digest[:])
	})
	if err != nil {
		return fmt.Errorf("vtpm: extend PCR %d: %w", pcr, err)
	}
	return nil
}

// pcrCount is how many registers a bank has (PC Client Platform TPM Profile).
const pcrCount = 24

// selectPCRs is a TPML_PCR_SELECTION of the SHA-256 bank.
func selectPCRs(pcrs []int) ([]byte, error) {
	var bits [pcrCount / 8]byte
	for _, n := range pcrs {
		if n < 0 || n >= pcrCount {
			return nil, fmt.Errorf("vtpm: no PCR %d", n)
		}
		bits[n/8] |= 1 << (n % 8)
	}
	f := &frame{}
	f.u32(1).u16(uint16(tpm2.TPMAlgSHA256)).raw([]byte{byte(len(bits))}).raw(bits[:])
	return f.b, nil
}
