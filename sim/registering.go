package sim

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

// Register exports the PCs' hardware hashes as CSV, imports that file as an
// administrator does, and waits until every PC has its profile.
func (w *World) Register(ctx context.Context) error { return w.register(ctx, func() {}) }

// register is Register. imported is called once the import is through, well or
// not, and before anybody waits for profiles.
func (w *World) register(ctx context.Context, imported func()) error {
	begin := w.Clock.Now()
	admin := w.Administrator()
	count, err := w.importHashes(ctx, admin)
	imported()
	if err != nil || count == 0 {
		return err
	}
	w.mu.Lock()
	stories := slices.Clone(w.stories)
	w.mu.Unlock()
	hasty := 0
	for _, s := range stories {
		if s.Hasty && !s.Unregistered {
			hasty++
		}
	}
	if count > hasty {
		if err := admin.AwaitAssigned(ctx, count-hasty); err != nil {
			return err
		}
	}
	for _, s := range stories {
		w.phase(s.Name, "registered", begin)
	}
	return nil
}

// importHashes imports the file with the hashes, as people have left it, and says
// how many PCs are in it.
func (w *World) importHashes(ctx context.Context, admin *Administrator) (int, error) {
	if err := w.registerElsewhere(ctx); err != nil {
		return 0, err
	}
	files, count, err := w.HashCSV()
	if err != nil || count == 0 {
		return count, err
	}
	for _, file := range files {
		if err := w.importFile(ctx, admin, file); err != nil {
			return count, err
		}
	}
	return count, nil
}

func (w *World) importFile(ctx context.Context, admin *Administrator, file []byte) error {
	if w.csv.By == "" { // of no scenario
		return admin.ImportCSV(ctx, file)
	}
	file = w.csv.Edit(file)
	if w.csv.By == scenario.ByScript {
		return admin.postRows(ctx, file)
	}
	return admin.ImportCSV(ctx, file)
}

// postRows is a script that takes a file's rows as Import-Csv does, which minds
// neither quotes nor a byte order mark, and posts each as it stands
// (learn.microsoft.com/graph, importedWindowsAutopilotDeviceIdentity).
func (a *Administrator) postRows(ctx context.Context, file []byte) error {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))).ReadAll()
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	for _, row := range rows[min(1, len(rows)):] {
		if len(row) < 3 {
			return fmt.Errorf("import: a row of %d columns", len(row))
		}
		body := map[string]string{"serialNumber": row[0], "productKey": row[1], "hardwareIdentifier": row[2]}
		if err := a.Graph(ctx, http.MethodPost, importsURL, body, nil); err != nil {
			return fmt.Errorf("import of %s: %w", row[0], err)
		}
	}
	if err := a.awaitImported(ctx); err != nil {
		return err
	}
	return a.Sync(ctx)
}

// registerElsewhere has other organizations register the PCs that they had
// first. Nobody tells this one.
func (w *World) registerElsewhere(ctx context.Context) error {
	for _, o := range w.others {
		t, err := w.Intune.Service().Add(o.Tenant().ID, o.Domain)
		if err != nil {
			return fmt.Errorf("tenant %s: %w", o.Domain, err)
		}
		var rows []graph.ImportedDevice
		for _, s := range w.stories {
			if !o.Has(s.Name, s.pc.Hardware.Serial) {
				continue
			}
			row, err := s.pc.Row(w.Clock.Now())
			if err != nil {
				return err
			}
			d, err := imported(row)
			if err != nil {
				return err
			}
			rows = append(rows, d)
		}
		if len(rows) == 0 {
			continue
		}
		if _, err := t.Import(ctx, rows); err != nil {
			return fmt.Errorf("tenant %s: %w", o.Domain, err)
		}
		for slices.ContainsFunc(t.Imports(), pending) {
			if err := w.Clock.Sleep(ctx, w.Timing.Autopilot.ImportPoll, "administrator of "+o.Domain); err != nil {
				return err
			}
		}
	}
	return nil
}

func pending(d graph.ImportedDevice) bool {
	return d.State == nil || d.State.DeviceImportStatus != graph.ImportComplete && d.State.DeviceImportStatus != graph.ImportFailed
}

// loadOthers puts the other organizations' accounts into the directory.
func (w *World) loadOthers(others []scenario.Other) error {
	w.others = others
	for _, o := range others {
		t := o.Tenant()
		if _, err := w.Entra.Directory.LoadOrganization(t.Organization()); err != nil {
			return fmt.Errorf("tenant %s: %w", o.Domain, err)
		}
		if err := w.loadAccounts(t); err != nil {
			return fmt.Errorf("tenant %s: %w", o.Domain, err)
		}
	}
	return nil
}
