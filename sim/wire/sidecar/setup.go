package sidecar

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"windtunnel.test/sim/wire/installer"
)

// ErrSetup says that an app's content does not hold the setup file.
var ErrSetup = errors.New("sidecar: content: no such setup file")

// setupTime is the date of the archive's entry: fixed, so that the same manifest always gives the same archive.
var setupTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// WriteSetup makes the archive that an app's content file holds: one setup file, which is an [installer.Manifest]. Equal
// arguments give equal bytes. Its entry is stored, since the archive is encrypted and its weight is modelled elsewhere.
func WriteSetup(setupFile string, manifest []byte) ([]byte, error) {
	if setupFile == "" || len(manifest) > installer.MaxBytes {
		return nil, fmt.Errorf("sidecar: setup %q of %d bytes: %w", setupFile, len(manifest), ErrSetup)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: slashed(setupFile), Method: zip.Store, Modified: setupTime})
	if err != nil {
		return nil, fmt.Errorf("sidecar: setup: %w", err)
	}
	if _, err := w.Write(manifest); err != nil {
		return nil, fmt.Errorf("sidecar: setup: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("sidecar: setup: %w", err)
	}
	return b.Bytes(), nil
}

// ReadSetup reads the setup file out of the archive. Names are compared as Windows does, without letter case. It refuses a file
// of more than [installer.MaxBytes].
func ReadSetup(archive []byte, setupFile string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("sidecar: content archive: %w", err)
	}
	for _, f := range z.File {
		if !strings.EqualFold(f.Name, slashed(setupFile)) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("sidecar: setup %q: %w", setupFile, err)
		}
		defer r.Close()
		manifest, err := io.ReadAll(io.LimitReader(r, installer.MaxBytes+1))
		if err != nil {
			return nil, fmt.Errorf("sidecar: setup %q: %w", setupFile, err)
		}
		if len(manifest) > installer.MaxBytes {
			return nil, fmt.Errorf("sidecar: setup %q is larger than %d bytes: %w", setupFile, installer.MaxBytes, ErrSetup)
		}
		return manifest, nil
	}
	return nil, fmt.Errorf("sidecar: setup %q: %w", setupFile, ErrSetup)
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }
