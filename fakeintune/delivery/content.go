package delivery

import (
	"path"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

// Publisher is the content delivery network: it serves body under path, and
// tells clients that the file weighs size bytes.
type Publisher interface {
	Publish(path string, body []byte, size int64)
}

// uninstallKey is below what a registry detection rule looks for as a rule.
const uninstallKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\`

// Setup is an app's installer: what was uploaded, or where nothing was, an
// installer that does what the app's detection rules look for (our model, so
// that an export of a tenant, which has no content, can be used). archive tells
// that the bytes are an archive already.
func Setup(t *tenant.Tenant, app graph.MobileApp) (manifest []byte, archive bool, err error) {
	if c, err := t.Content(app.ID); err == nil {
		return c.Plain, strings.HasPrefix(string(c.Plain), "PK"), nil
	}
	pace := t.Service().Timing.Intune
	m := installer.Manifest{Product: app.DisplayName, Version: "1.0",
		Duration: pace.DefaultInstall + time.Duration(app.Size/int64(pace.DefaultInstallRate))*time.Second}
	if app.WindowsMobileMSI != nil {
		m.MSI, m.Product, m.Version = true, app.ProductCode, app.ProductVersion
	}
	if app.Win32LobApp != nil {
		for _, r := range app.Detections() {
			satisfy(&m, r)
		}
	}
	manifest, err = m.Encode()
	return manifest, false, err
}

// satisfy makes an installer leave what a detection rule looks for.
func satisfy(m *installer.Manifest, r graph.Rule) {
	version := r.ComparisonValue
	if version == "" {
		version = r.DetectionValue
	}
	switch {
	case r.Is(graph.RuleProduct):
		m.Product, m.MSI = r.ProductCode, true
		version = r.ProductVersion
	case r.Is(graph.RuleRegistry):
		if _, product, ok := strings.Cut(r.KeyPath, uninstallKey); ok {
			m.Product = product
		}
	case r.Is(graph.RuleFile):
		m.Files = append(m.Files, strings.TrimSuffix(r.Path, `\`)+`\`+r.FileOrFolderName)
		version = ""
	}
	if version != "" {
		m.Version = version
	}
}

// SetupFile is the name of an app's setup file inside its content.
func SetupFile(app graph.MobileApp) string {
	if app.Win32LobApp != nil && app.SetupFilePath != "" {
		return app.SetupFilePath
	}
	if app.FileName != "" {
		return strings.TrimSuffix(app.FileName, path.Ext(app.FileName)) + ".exe"
	}
	return "setup.exe"
}

// Version is the version of an app's content.
func Version(app graph.MobileApp) string {
	if app.CommittedContentVersion != "" {
		return app.CommittedContentVersion
	}
	return "1"
}
