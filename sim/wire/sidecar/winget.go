package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Package is what a WinGet source says of a package: the answer of its REST interface to GET packageManifests/{id}, in the
// members that the agent reads (github.com/microsoft/winget-cli-restsource, schema v1.1). Its installers are ours:
// [installer.Manifest] in JSON.
type Package struct {
	Identifier string           `json:"PackageIdentifier"`
	Versions   []PackageVersion `json:"Versions"`
}

// PackageVersion is one version, the newest first.
type PackageVersion struct {
	Version    string             `json:"PackageVersion"`
	Installers []PackageInstaller `json:"Installers"`
}

// PackageInstaller is one way to install it.
type PackageInstaller struct {
	URL          string `json:"InstallerUrl"`
	SHA256       string `json:"InstallerSha256"` // hexadecimal
	Architecture string `json:"Architecture"`    // "x64", "neutral"
	Type         string `json:"InstallerType"`   // "exe", "msi"
	Scope        string `json:"Scope"`           // "machine", "user"
}

// PackagePath is where a source answers for a package.
func PackagePath(id string) string { return "/v9.0/packageManifests/" + url.PathEscape(id) }

// Newest is the first installer of the first version.
func (p Package) Newest() (PackageInstaller, bool) {
	if len(p.Versions) == 0 || len(p.Versions[0].Installers) == 0 {
		return PackageInstaller{}, false
	}
	return p.Versions[0].Installers[0], true
}

// EncodePackage writes a source's answer.
func EncodePackage(p Package) ([]byte, error) {
	return json.Marshal(struct{ Data Package }{p})
}

// DecodePackage reads it; it refuses one that names no package.
func DecodePackage(data []byte) (Package, error) {
	var answer struct{ Data Package }
	if err := unmarshal("package manifest", data, &answer); err != nil {
		return Package{}, err
	}
	if answer.Data.Identifier == "" {
		return Package{}, fmt.Errorf("sidecar: package manifest: %w", errors.New("no PackageIdentifier"))
	}
	return answer.Data, nil
}
