package mdm

import (
	"context"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ppkg"
	"windtunnel.test/sim/wire/syncml"
)

// keyPackages has the provisioning packages that were applied (our model of the
// provisioning engine's results).
const keyPackages = `HKLM\SOFTWARE\Microsoft\Provisioning\Results`

// ApplyPackages applies the provisioning packages that the factory left on the
// disk, in the order of their names and each once; restart tells whether one of
// them wants Windows to restart before setup goes on. Their settings go to the
// same providers that an MDM server reaches; one that a provider refuses is
// passed over. A package that the loss of power broke off is applied from its
// beginning. The error is the end of the boot.
func ApplyPackages(w *device.Windows) (restart bool, err error) {
	r := w.Registry()
	for _, file := range w.Disk.Files.List(ppkg.Folder + `\`) {
		if !strings.HasSuffix(file, ppkg.Extension) || r.HasValue(keyPackages, file) {
			continue
		}
		body, _ := w.Disk.Files.Read(file)
		p, err := ppkg.Decode(body)
		if err != nil {
			r.SetString(keyPackages, file, "failed")
			w.Event("package.failed", journal.F("file", file), journal.F("error", err.Error()))
			continue
		}
		failed := applyPackage(w, p)
		if cause := context.Cause(w.Ctx); cause != nil {
			return false, cause
		}
		outcome := "applied"
		if len(failed) > 0 {
			outcome = "applied, but for " + strings.Join(failed, " ")
		}
		if p.Restart {
			r.SetDWORD(keyPackages+`\Restart`, file, 1)
		}
		r.SetString(keyPackages, file, outcome) // last: what has one is not applied again
		w.Event("package.applied", journal.F("name", p.Name), journal.F("settings", len(p.Settings)), journal.F("failed", len(failed)))
	}
	for _, file := range r.ValueNames(keyPackages + `\Restart`) {
		r.Delete(keyPackages+`\Restart`, file) // before: the restart is asked for once
		restart = true
	}
	return restart, nil
}

// applyPackage sets what a package has, and lists the nodes that did not take
// it. Nobody is signed in: there is no user whose settings they could be.
func applyPackage(w *device.Windows, p ppkg.Package) (failed []string) {
	r := &runner{w: w}
	for _, s := range p.Settings {
		c := syncml.NewSet(syncml.Replace, s.URI, syncml.Format(s.Format), s.Value)
		code, _, touched := r.plain(w, &c)
		if !code.Success() {
			failed = append(failed, s.URI)
			continue
		}
		r.restarts(touched)
		if context.Cause(w.Ctx) != nil {
			return failed
		}
	}
	if r.restart != "" {
		w.NeedRestart(r.restart) // nobody is before the screen yet: it comes with the packages' own
	}
	return failed
}
