package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ztd"
)

// Import is a row of an import, as it stays until the administrator deletes it.
type Import struct {
	TenantID string
	N        uint64 // order of arrival
	graph.ImportedDevice
}

// Import takes rows in. Each is looked at some seconds later; what was wrong
// with it then stands in its state. At most as many rows as the portal takes
// from a file, else ErrInvalid.
func (t *Tenant) Import(ctx context.Context, rows []graph.ImportedDevice) ([]graph.ImportedDevice, error) {
	if limit := t.s.Timing.Autopilot.CSVRows; len(rows) > limit {
		return nil, fmt.Errorf("import of %d devices: %w: at most %d at a time", len(rows), ErrInvalid, limit)
	}
	out := make([]graph.ImportedDevice, len(rows))
	err := t.s.DB.Update(func(tx *store.Tx) error {
		for i, d := range rows {
			id, n, err := t.nextID(tx, "import")
			if err != nil {
				return err
			}
			d.ID, d.State = id, &graph.ImportState{DeviceImportStatus: graph.ImportUnknown}
			d.GroupTag, d.OrderIdentifier = orDefault(d.GroupTag, d.OrderIdentifier), ""
			out[i] = d
			d.State = &graph.ImportState{DeviceImportStatus: graph.ImportPending}
			t.s.imports.Put(tx, t.key(id), Import{t.ID, n, d})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, d := range out {
		t.processImportLater(ctx, d.ID)
	}
	return out, nil
}

// Imports are the rows that were not deleted, the oldest first.
func (t *Tenant) Imports() []graph.ImportedDevice {
	rows := list(t.s, t.s.imports, byTenant, t.ID)
	slices.SortFunc(rows, func(a, b Import) int { return int(int64(a.N) - int64(b.N)) })
	out := make([]graph.ImportedDevice, len(rows))
	for i, r := range rows {
		out[i] = r.ImportedDevice
	}
	return out
}

// ImportRow finds a row by id; ErrNotFound.
func (t *Tenant) ImportRow(id string) (graph.ImportedDevice, error) {
	v, ok := read(t.s, t.s.imports, t.key(id))
	if !ok {
		return graph.ImportedDevice{}, fmt.Errorf("importedWindowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
	}
	return v.ImportedDevice, nil
}

// DeleteImport forgets a row; what it registered stays.
func (t *Tenant) DeleteImport(id string) error {
	return t.s.DB.Update(func(tx *store.Tx) error {
		if !t.s.imports.Delete(tx, t.key(id)) {
			return fmt.Errorf("importedWindowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
		}
		return nil
	})
}

// processImport registers a row's device, or says in its state why not.
func (t *Tenant) processImport(ctx context.Context, id string) {
	row, ok := read(t.s, t.s.imports, t.key(id))
	if !ok || row.State.DeviceImportStatus != graph.ImportPending {
		return
	}
	hardware, problem := readImport(row.ImportedDevice)
	state := graph.ImportState{DeviceImportStatus: graph.ImportComplete}
	err := t.s.DB.Update(func(tx *store.Tx) error {
		if problem == nil {
			state.DeviceRegistrationID, problem = t.register(tx, row.ImportedDevice, hardware)
		}
		if problem != nil {
			state = importFailure(problem)
		}
		// The row may have been deleted meanwhile.
		if row, ok := t.s.imports.Get(tx, t.key(id)); ok {
			row.State, row.HardwareIdentifier = &state, nil
			t.s.imports.Put(tx, t.key(id), row)
		}
		return nil
	})
	if err != nil {
		return // the transaction's function returns none
	}
	if problem != nil {
		t.s.Refused(ctx, "graph", "import", state.DeviceErrorName, strconv.Itoa(state.DeviceErrorCode))
		return
	}
	t.s.Record(ctx, "autopilot.imported", journal.F("serial", row.SerialNumber), journal.F("ztdId", state.DeviceRegistrationID))
	t.needSync(ctx)
}

// maxGroupTag bounds a group tag (our model: Entra ID's bound for a physical id).
const maxGroupTag = 512

func importFailure(err error) graph.ImportState {
	s := graph.ImportState{DeviceImportStatus: graph.ImportFailed, DeviceErrorCode: ztd.InvalidZtdRequestBody.Code, DeviceErrorName: ztd.InvalidZtdRequestBody.Name}
	var known ztd.ImportError
	if errors.As(err, &known) {
		s.DeviceErrorCode, s.DeviceErrorName = known.Code, known.Name
	}
	return s
}

// readImport checks a row by itself. An administrator registers by hardware
// hash; serial number and product key alone are for partners.
func readImport(d graph.ImportedDevice) (Hardware, error) {
	switch {
	case len(d.GroupTag) > maxGroupTag, d.AssignedUserPrincipalName != "" && !strings.Contains(d.AssignedUserPrincipalName, "@"):
		return Hardware{}, ztd.InvalidZtdRequestBody
	case strings.TrimSpace(d.SerialNumber) == "" && strings.TrimSpace(d.ProductKey) == "":
		return Hardware{}, ztd.MissingZtdSerialNumberAndProductKey
	case len(d.HardwareIdentifier) == 0 && strings.TrimSpace(d.ProductKey) != "":
		// Partners register by product key; nobody has registered this one.
		return Hardware{}, ztd.ZtdDeviceNotFound
	}
	h, err := ReadHardware(d.HardwareIdentifier)
	if err != nil {
		return Hardware{}, fmt.Errorf("%w: %w", ztd.InvalidZtdHardwareHash, err)
	}
	return h, nil
}

// register adds a device to the deployment service, unless it is there, here or
// with another customer.
func (t *Tenant) register(tx *store.Tx, d graph.ImportedDevice, h Hardware) (string, error) {
	var found []Registration
	for _, key := range h.keys() {
		if _, other, taken := t.s.registrations.First(tx, byHardware, key); taken {
			found = append(found, other)
		}
	}
	switch {
	case len(found) == 2 && found[0].ID != found[1].ID:
		// Board of one registered device, TPM of another.
		return "", ztd.ZtdDeviceIsNotUnique
	case len(found) > 0 && found[0].TenantID == t.ID:
		return "", ztd.ZtdDeviceAlreadyAssigned
	case len(found) > 0:
		return "", ztd.ZtdDeviceAssignedToOtherTenant
	}
	id, _, err := t.nextID(tx, "registration")
	if err != nil {
		return "", err
	}
	t.s.registrations.Put(tx, t.key(id), Registration{
		TenantID: t.ID, ID: id, Hardware: h, Serial: orDefault(d.SerialNumber, h.Serial), ProductKey: d.ProductKey,
		GroupTag: d.GroupTag, UserPrincipalName: d.AssignedUserPrincipalName, Registered: t.s.Now(),
		EnrollmentState: graph.EnrollmentNotContacted, Userless: graph.UserlessAllowed, Remediation: graph.RemediationNone,
		Status: graph.AssignmentNone, Version: 1,
	})
	return id, nil
}
