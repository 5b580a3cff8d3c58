package ime

import (
	"encoding/binary"
	"errors"
	"fmt"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

// folderStaging is where content lies between its download and the end of the
// app's attempts.
const folderStaging = `C:\Program Files (x86)\Microsoft Intune Management Extension\Content\Staging\`

// stagedFile is one app's content, decrypted.
func stagedFile(app sidecar.App) string {
	return fmt.Sprintf(`%s%s_%d\content.bin`, folderStaging, app.ID, app.Version)
}

// unstage removes an app's content: it is installed, or given up for now.
func (a *agent) unstage(app sidecar.App) { a.w.Disk.Files.Remove(stagedFile(app)) }

// setup gives what an app's content holds and what it weighs. What an earlier
// attempt left on the disk, in this boot or before it, is not fetched again.
func (e *evaluation) setup(app sidecar.App) (installer.Manifest, int64, outcome) {
	if kept, ok := e.w.Disk.Files.Read(stagedFile(app)); ok && len(kept) > 8 {
		m, err := unpack(app, kept[8:])
		if err == nil {
			e.workload("[Win32App][ContentManager] Content of app %s is on the disk.", app.ID)
			return m, int64(binary.LittleEndian.Uint64(kept)), outcome{}
		}
		e.unstage(app)
	}
	plain, size, err := e.fetch(app)
	if err != nil {
		e.workload("[Win32App][ContentManager] Content of app %s could not be had: %v", app.ID, err)
		return installer.Manifest{}, 0, outcome{failed: sidecar.EnforcementErrorDownloading, code: codeOr(err, hresult.ContentNotFound)}
	}
	m, err := unpack(app, plain)
	if err != nil {
		e.workload("[Win32App][ContentManager] Content of app %s has no setup: %v", app.ID, err)
		return installer.Manifest{}, 0, outcome{failed: sidecar.EnforcementErrorInstalling, code: hresult.InstallFailure}
	}
	e.w.Disk.Files.Write(stagedFile(app), append(binary.LittleEndian.AppendUint64(nil, uint64(size)), plain...))
	return m, size, outcome{}
}

// unpack reads the installer that content holds.
func unpack(app sidecar.App, plain []byte) (installer.Manifest, error) {
	if app.InstallerData.Value != nil {
		return installer.Decode(plain) // a WinGet source's packages are not wrapped
	}
	manifest, err := sidecar.ReadSetup(plain, app.SetupFile)
	if err != nil {
		return installer.Manifest{}, err
	}
	return installer.Decode(manifest)
}

// fetch downloads an app's content and opens it.
func (e *evaluation) fetch(app sidecar.App) (plain []byte, size int64, err error) {
	if app.InstallerData.Value != nil {
		return e.fetchWinGet(app)
	}
	location, info, err := e.g.content(app)
	if err != nil {
		return nil, 0, err
	}
	file, size, err := e.download("download Win32 app", app, location)
	if err != nil {
		return nil, 0, err
	}
	plain, err = sidecar.DecryptContent(info, file)
	switch {
	case errors.Is(err, sidecar.ErrContentDigest) || errors.Is(err, sidecar.ErrContentMAC):
		e.workload("[Win32App][ContentManager] Content of app %s is not what was published: its hash differs.", app.ID)
		fallthrough
	case err != nil:
		return nil, 0, hresult.New("decrypt Win32 app", hresult.InvalidData, err)
	}
	return plain, size, nil
}

// download fetches a file, and logs how far it is.
func (e *evaluation) download(op string, app sidecar.App, location string) ([]byte, int64, error) {
	last := int64(-1)
	line := func(done, size int64) {
		if done != last {
			last = done
			e.workload("[StatusService] Downloading app (id = %s, name %s) via CDN, bytes %d/%d for user %s", app.ID, app.Name, done, size, e.s.userID())
		}
	}
	began := e.w.Clock.Now()
	body, size, err := e.w.DownloadWith(op, location, line)
	if err != nil {
		e.workload("[Win32App][ContentManager] DO download of app %s is not finished: %v", app.ID, err)
		return nil, 0, err
	}
	line(size, size)
	e.workload(`[DO TEL] = {"FileId":"%s_%d","BytesFromCDN":%d,"BytesFromPeers":0,"TotalBytes":%d,"DownloadTimeMs":%d}`,
		app.ID, app.Version, size, size, e.w.Clock.Now().Sub(began).Milliseconds())
	return body, size, nil
}
