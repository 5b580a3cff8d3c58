package vtpm

import (
	"context"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// EKCertificate reads the vendor's certificate of the endorsement key from NV,
// DER. ErrNoCertificate says that there is none.
func (c *Chip) EKCertificate(ctx context.Context) ([]byte, error) {
	var der []byte
	err := c.Do(ctx, "TPM2_NV_Read", Cost{Light: 1, NVRead: 2}, func(t transport.TPM) error {
		size, err := nvSize(t, ekCertificateIndex)
		if err != nil {
			return err
		}
		der, err = nvFetch(t, ekCertificateIndex, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: EK certificate of %s: %w", c.id, err)
	}
	return der, nil
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
