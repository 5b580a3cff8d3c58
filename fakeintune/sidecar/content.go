package sidecar

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	wire "windtunnel.test/sim/wire/sidecar"
)

// contentInfo says where an app's content is, and seals what opens it to the
// key of the device's MDM certificate.
func (s *Service) contentInfo(ctx context.Context, c authority.Client, in *wire.Session, _ string) (string, error) {
	request, err := wire.DecodeContent(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	cert, err := pki.Parse(request.CertificateBlob)
	if err != nil || !strings.EqualFold(pki.Thumbprint(cert), c.Device.Thumbprint) || pki.CheckIssued(cert, s.Authorities.MDM.Cert) != nil {
		return "", no("content certificate", http.StatusForbidden)
	}
	app, err := c.Tenant.Apps().Get(request.ApplicationID)
	if errors.Is(err, tenant.ErrNotFound) || err == nil && (!delivery.ByAgent(app) || app.WinGetApp != nil) {
		return "", no("app", http.StatusNotFound)
	}
	if err != nil {
		return "", err
	}
	location, info, err := s.publish(c.Tenant, app)
	if err != nil {
		return "", fmt.Errorf("fakeintune/sidecar: content of %q: %w", app.DisplayName, err)
	}
	random := s.Tenants.Seed.Reader("decryptInfo", c.Device.ID, app.ID, in.SessionID)
	sealed, err := wire.SealDecryptInfo(random, cert, info)
	if err != nil {
		return "", err
	}
	s.Tenants.Record(ctx, "ime.content.located", journal.F("id", c.Device.ID), journal.F("app", app.ID))
	return request.Answer(location, sealed)
}

// publishPackage puts an app of a WinGet source up in the Store: its package and
// what the source says of it. It gives the product that the package leaves.
func (s *Service) publishPackage(t *tenant.Tenant, app graph.MobileApp) (product string, err error) {
	body, _, err := delivery.Setup(t, app)
	if err != nil {
		return "", err
	}
	m, err := installer.Decode(body)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(body)
	path := wire.PackagePath(app.PackageIdentifier)
	if s.Content == nil || !s.news(path, digest) {
		return m.Product, nil
	}
	location := hosts.StorePackage(app.PackageIdentifier)
	manifest, err := wire.EncodePackage(wire.Package{Identifier: app.PackageIdentifier, Versions: []wire.PackageVersion{{Version: m.Version,
		Installers: []wire.PackageInstaller{{URL: location, SHA256: hex.EncodeToString(digest[:]), Architecture: "neutral", Type: "exe", Scope: "machine"}}}}})
	if err != nil {
		return "", err
	}
	s.Content.Publish(path, manifest, 0)
	s.Content.Publish(strings.TrimPrefix(location, "https://"+hosts.Store), bytes.Clone(body), app.Size)
	return m.Product, nil
}

// publish puts an app's content file up, once a version. Its keys belong to the
// app's content, so that every device is told the same.
func (s *Service) publish(t *tenant.Tenant, app graph.MobileApp) (location string, info wire.DecryptInfo, err error) {
	plain, archive, err := delivery.Setup(t, app)
	if err != nil {
		return "", info, err
	}
	if !archive {
		if plain, err = wire.WriteSetup(delivery.SetupFile(app), plain); err != nil {
			return "", info, err
		}
	}
	version := delivery.Version(app)
	digest := sha256.Sum256(plain)
	seed := s.Tenants.Seed.Derive("content", t.ID, app.ID, version, string(digest[:]))
	iv := seed.Key("iv")
	info = wire.NewDecryptInfo(seed.Key("encryption"), seed.Key("mac"), [16]byte(iv[:16]), plain)
	path := "/" + t.ID + "/" + app.ID + "/" + version + "/IntunePackage.intunewin.bin"
	location = (&url.URL{Scheme: "https", Host: hosts.ContentCDN, Path: path}).String()
	if s.Content == nil || !s.news(path, digest) {
		return location, info, nil
	}
	file, err := wire.EncryptContent(info, plain)
	if err != nil {
		return "", info, err
	}
	s.Content.Publish(path, bytes.Clone(file), app.Size)
	return location, info, nil
}

// PublishApps puts up what devices of a customer may have been told to download
// by an earlier process. An app whose file cannot be made is left out: devices
// that ask for it are told why.
func (s *Service) PublishApps(t *tenant.Tenant) {
	for app := range t.Apps().All() {
		switch {
		case app.WinGetApp != nil:
			_, _ = s.publishPackage(t, app)
		case delivery.ByAgent(app):
			_, _, _ = s.publish(t, app)
		}
	}
}

// news remembers what is up, and tells whether this is not.
func (s *Service) news(path string, digest [sha256.Size]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.published[path] == digest {
		return false
	}
	s.published[path] = digest
	return true
}
