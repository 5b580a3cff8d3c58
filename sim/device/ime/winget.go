package ime

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/sidecar"
)

var (
	errNoInstaller = errors.New("the source has no installer for this PC")
	errWinGetHash  = errors.New("the installer's hash does not match")
)

// fetchWinGet asks the package's source for its manifest and downloads the
// installer that it names.
func (e *evaluation) fetchWinGet(app sidecar.App) ([]byte, int64, error) {
	const op = "WinGet source"
	resp, err := e.w.Do(device.Request{Op: op, Method: http.MethodGet, URL: "https://" + hosts.Store + sidecar.PackagePath(app.InstallerData.Value.PackageIdentifier)})
	if err != nil {
		return nil, 0, err
	}
	if resp.Status != http.StatusOK {
		return nil, 0, hresult.New(op, hresult.FromHTTPStatus(resp.Status), errors.New(app.InstallerData.Value.PackageIdentifier))
	}
	manifest, err := sidecar.DecodePackage(resp.Body)
	if err != nil {
		return nil, 0, hresult.New(op, hresult.InvalidData, err)
	}
	install, ok := manifest.Newest()
	if !ok {
		return nil, 0, hresult.New(op, hresult.ContentNotFound, errNoInstaller)
	}
	body, size, err := e.download("download WinGet package", app, install.URL)
	if err != nil {
		return nil, 0, err
	}
	if sum := sha256.Sum256(body); !strings.EqualFold(hex.EncodeToString(sum[:]), install.SHA256) {
		return nil, 0, hresult.New(op, hresult.InvalidData, errWinGetHash)
	}
	return body, size, nil
}

// wingetDetected looks among the installed products, as WinGet's list does.
func (e *evaluation) wingetDetected(app sidecar.App) bool {
	return e.w.Registry().Has(device.KeyUninstall + `\` + app.InstallerData.Value.ProductCode)
}
