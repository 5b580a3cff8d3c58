package mdm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
)

const (
	// agentProduct is the product code of the management extension (our model).
	agentProduct = "{5E9F4F3A-61A1-4E1B-9C53-0A8D4C6E2B71}"
	// agentOwner names it in the gateway's records.
	agentOwner   = "IntuneManagementExtension"
	agentPath    = "/IntuneWindowsAgent.msi"
	agentService = "IntuneManagementExtension"
)

// publishAgent puts the management extension's installer up, and gives the job
// that installs it.
func (s *Service) publishAgent(a Agent) (item, error) {
	body, err := installer.Manifest{
		Product: "Microsoft Intune Management Extension", Version: a.Version, MSI: true, Duration: a.Install, Service: agentService,
	}.Encode()
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: management extension: %w", err)
	}
	if s.Content != nil {
		s.Content.Publish(agentPath, body, a.Size)
	}
	return s.msiItem(csp.MSI{Scope: csp.Device, ProductCode: agentProduct}, agentOwner, agentPath, a.Version, hash(body), "/quiet")
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// appItem is the job that installs a line-of-business MSI. Its file is
// published on the way.
func (s *Service) appItem(t *tenant.Tenant, scope csp.Scope, app graph.MobileApp) (item, error) {
	body, _, err := delivery.Setup(t, app)
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: app %q: %w", app.DisplayName, err)
	}
	path := "/" + t.ID + "/" + app.ID + "/" + delivery.Version(app) + "/" + app.FileName
	if s.Content != nil {
		s.Content.Publish(path, body, app.Size)
	}
	return s.msiItem(csp.MSI{Scope: scope, ProductCode: app.ProductCode}, app.ID, path, app.ProductVersion, hash(body), app.CommandLine)
}

// PublishApps puts up what devices of a customer may have been told to download
// by an earlier process. An app whose file cannot be made is left out: devices
// that ask for it are told why.
func (s *Service) PublishApps(t *tenant.Tenant) {
	for app := range t.Apps().All() {
		switch {
		case app.WindowsMobileMSI != nil:
			_, _ = s.appItem(t, csp.Device, app)
		case app.StoreApp != nil:
			_, _ = s.storeApp(t, app, csp.Device)
		}
	}
}

func (s *Service) msiItem(m csp.MSI, owner, path, version, hash, arguments string) (item, error) {
	limits := s.Tenants.Timing.MDM
	job, err := csp.MsiInstallJob{ID: m.ProductCode, Product: csp.Product{
		Version: version, ContentURLs: []string{(&url.URL{Scheme: "https", Host: hosts.ContentCDN, Path: path}).String()}, FileHash: hash, CommandLine: arguments,
		TimeOut: int(limits.InstallLimit / time.Minute), RetryCount: limits.InstallRetries, RetryInterval: int(limits.InstallRetryDelay / time.Minute),
	}}.Encode()
	if err != nil {
		return item{}, fmt.Errorf("fakeintune/mdm: job of %s: %w", owner, err)
	}
	return item{owner: owner, uri: m.Status(), digest: digest(job), msi: m, job: job, version: version}, nil
}
