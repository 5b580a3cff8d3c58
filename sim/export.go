package sim

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/ztd"
)

// Exported is what somebody needs who has a scenario's fleet tested by services
// of their own.
type Exported struct {
	// CSV are the hardware hashes of the PCs that are to be registered, as
	// Get-WindowsAutopilotInfo writes them, in files of as many rows as the
	// portal takes.
	CSV [][]byte
	PCs int
	// Roots that services and PCs of a run of the scenario trust, and the
	// authorities between the vendors' roots and EK certificates.
	EKRoots, EKIssuers, AIKRoots, WebRoots []*x509.Certificate
}

// Export makes a scenario's PCs, runs nothing, and says who they are and whom
// they trust.
func Export(ctx context.Context, o RunOptions, images func(done, total int)) (*Exported, error) {
	s := o.Scenario
	all := s.Devices()
	if err := o.Lab.Build(ctx, Chips(s), images); err != nil {
		return nil, fmt.Errorf("make TPM images: %w", err)
	}
	e := &Exported{}
	var rows []ztd.Row
	for n := range s.Cells {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w, err := newCell(o, all, n)
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", n, err)
		}
		part, err := w.hashRows()
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", n, err)
		}
		rows = append(rows, part...)
		e.AIKRoots = oneMore(e.AIKRoots, w.Entra.AIK.Root())
		e.WebRoots = oneMore(e.WebRoots, w.Network.WebRoot())
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("cell %d: %w", n, err)
		}
	}
	e.PCs = len(rows)
	var err error
	if e.CSV, err = csvFiles(rows); err != nil {
		return nil, err
	}
	for _, model := range vtpm.Models() {
		ca, err := vtpm.VendorCA(model)
		if err != nil {
			return nil, fmt.Errorf("vendor authority of %s: %w", model, err)
		}
		for ; ca.Parent != nil; ca = ca.Parent {
			e.EKIssuers = oneMore(e.EKIssuers, ca.Cert)
		}
		e.EKRoots = oneMore(e.EKRoots, ca.Cert)
	}
	return e, nil
}

// oneMore adds a certificate that is not there yet.
func oneMore(list []*x509.Certificate, cert *x509.Certificate) []*x509.Certificate {
	if cert == nil || slices.ContainsFunc(list, func(c *x509.Certificate) bool { return c.Equal(cert) }) {
		return list
	}
	return append(list, cert)
}

// csvFiles writes rows in files of as many as the portal takes.
func csvFiles(rows []ztd.Row) ([][]byte, error) {
	var files [][]byte
	for part := range slices.Chunk(rows, ztd.MaxRows) {
		var file bytes.Buffer
		if err := ztd.WriteCSV(&file, part); err != nil {
			return nil, fmt.Errorf("export hardware hashes: %w", err)
		}
		files = append(files, file.Bytes())
	}
	return files, nil
}
