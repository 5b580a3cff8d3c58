package delivery

import (
	"path"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// Publisher is the content delivery network: it serves body under path, and
// tells clients that the file weighs size bytes.
type Publisher interface {
	Publish(path string, body []byte, size int64)
}

// Setup is an app's installer: what was uploaded, or where nothing was, an
// installer that does what the app's detection rules look for (our model, so
// that an export of a tenant, which has no content, can be used). archive tells
// that the bytes are an archive already.
func Setup(t *tenant.Tenant, app graph.MobileApp) (manifest []byte, archive bool, err error) {
	if c, err := t.Content(app.ID); err == nil {
		return c.Plain, strings.HasPrefix(string(c.Plain), "PK"), nil
	}
	pace := t.Service().Timing.Intune
	m := app.Installer(nil)
	m.Duration = pace.DefaultInstall + time.Duration(app.Size/int64(pace.DefaultInstallRate))*time.Second
	manifest, err = m.Encode()
	return manifest, false, err
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
