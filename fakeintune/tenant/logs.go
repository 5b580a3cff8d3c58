package tenant

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// ActionLogs has a device collect and upload its diagnostics. Graph shows it as
// a log collection and not among the device's actions.
const ActionLogs ActionName = "createDeviceLogCollectionRequest"

// Automatic is who asks for the diagnostics of a failed deployment
// (learn.microsoft.com/intune, "Collect diagnostics from a Windows device":
// Intune captures them by itself).
const Automatic = "autopilot"

// MaxLogs bounds one package, in bytes: a single Put Blob of ours.
const MaxLogs = 32 << 20

// LogCollection is a package of diagnostics that was asked for.
type LogCollection struct {
	TenantID, DeviceID, ID string
	By                     string // who asked; Automatic
	Requested, Received    time.Time
	Failed                 bool
	Data                   []byte
}

// wanted is what Intune has devices collect: our selection.
var wanted = []csp.Directive{
	{Kind: "RegistryKey", Value: `HKLM\SOFTWARE\Microsoft\Provisioning`},
	{Kind: "RegistryKey", Value: `HKLM\SOFTWARE\Microsoft\Enrollments`},
	{Kind: "Command", Value: `%windir%\system32\MdmDiagnosticsTool.exe -area Autopilot;DeviceEnrollment;TPM -cab %temp%\MDMDiagnostics\mdmlogs.cab`},
	{Kind: "Command", Value: `%windir%\system32\dsregcmd.exe /status`},
	{Kind: "Events", Value: "Microsoft-Windows-DeviceManagement-Enterprise-Diagnostics-Provider/Admin"},
	{Kind: "FoldersFiles", Value: `%ProgramData%\Microsoft\IntuneManagementExtension\Logs\*.*`},
}

// RequestLogs asks for a device's diagnostics. A collection that it has not
// taken up yet is given up for the new one.
func (t *Tenant) RequestLogs(ctx context.Context, deviceID, by string) (LogCollection, error) {
	m, err := t.UpdateDevice(deviceID, func(m *ManagedDevice) error { m.LogCount++; return nil })
	if err != nil {
		return LogCollection{}, err
	}
	l := LogCollection{TenantID: t.ID, DeviceID: m.ID, ID: t.s.Seed.UUID("logs", t.ID, m.ID, strconv.Itoa(m.LogCount)), By: by, Requested: t.s.Now()}
	err = t.s.DB.Update(func(tx *store.Tx) error {
		for key, old := range t.s.logs.By(tx, byDevice, t.key(m.ID)) {
			if old.Received.IsZero() && !old.Failed {
				old.Failed = true
				t.s.logs.Put(tx, key, old)
			}
		}
		t.s.logs.Put(tx, t.key(l.ID), l)
		return nil
	})
	if err != nil {
		return l, err
	}
	document := csp.Archive{ID: l.ID, SASURL: t.logURL(l, "w", t.expires(l)), List: wanted}.Encode()
	_, err = t.Queue(ctx, m.ID, Action{Name: ActionLogs, Document: document, Logs: l.ID})
	return l, err
}

// collectOnFailure asks for the diagnostics of a deployment that has just
// failed, once for each, and tells whether it did.
func (t *Tenant) collectOnFailure(before, m ManagedDevice) (asked bool, err error) {
	if m.RegistrationID == "" || trouble(before) || !trouble(m) || t.s.Now().Sub(m.EnrolledDateTime.Time) >= t.s.Timing.Autopilot.ReportFailedAfter {
		return false, nil
	}
	if slices.ContainsFunc(t.LogCollections(m.ID), func(l LogCollection) bool { return l.By == Automatic }) {
		return false, nil
	}
	_, err = t.RequestLogs(context.Background(), m.ID, Automatic)
	return err == nil, err
}

func (t *Tenant) expires(l LogCollection) time.Time {
	return l.Requested.Add(t.s.Timing.Autopilot.DiagnosticsRetention).UTC().Truncate(time.Second)
}

// LogCollections are those of a device, the oldest first. What is older than
// diagnostics are kept is gone.
func (t *Tenant) LogCollections(deviceID string) []LogCollection {
	all := list(t.s, t.s.logs, byDevice, t.key(deviceID))
	all = slices.DeleteFunc(all, func(l LogCollection) bool { return !t.s.Now().Before(t.expires(l)) })
	slices.SortStableFunc(all, func(a, b LogCollection) int {
		return cmp.Or(a.Requested.Compare(b.Requested), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// LogCollection finds one by its id; ErrNotFound.
func (t *Tenant) LogCollection(deviceID, id string) (LogCollection, error) {
	l, ok := read(t.s, t.s.logs, t.key(id))
	if !ok || !strings.EqualFold(l.DeviceID, deviceID) || !t.s.Now().Before(t.expires(l)) {
		return LogCollection{}, fmt.Errorf("log collection %q: %w", id, ErrNotFound)
	}
	return l, nil
}

// DeleteLogs forgets a collection.
func (t *Tenant) DeleteLogs(deviceID, id string) error {
	if _, err := t.LogCollection(deviceID, id); err != nil {
		return err
	}
	return t.s.DB.Update(func(tx *store.Tx) error {
		t.s.logs.Delete(tx, t.key(id))
		return nil
	})
}

// LogDownload is a signed address of a package that has come; ErrNotFound for
// one that has not.
func (t *Tenant) LogDownload(deviceID, id string) (string, error) {
	l, err := t.LogCollection(deviceID, id)
	if err == nil && l.Received.IsZero() {
		err = fmt.Errorf("log collection %q: %w: nothing has come yet", id, ErrNotFound)
	}
	if err != nil {
		return "", err
	}
	return t.logURL(l, "r", t.s.Now().Add(t.s.Timing.Intune.UploadLink).UTC().Truncate(time.Second)), nil
}

// Shown is the collection as Graph shows it.
func (t *Tenant) Shown(l LogCollection) graph.LogCollection {
	out := graph.LogCollection{
		ID: l.DeviceID + "_" + l.ID, Status: graph.LogsPending, ManagedDeviceID: l.DeviceID, RequestedDateTimeUTC: graph.At(l.Requested),
		ExpirationDateTimeUTC: graph.At(t.expires(l)), InitiatedByUserPrincipalName: l.By, SizeInKB: float64(len(l.Data)) / 1024,
	}
	switch {
	case !l.Received.IsZero():
		out.Status, out.ReceivedDateTimeUTC = graph.LogsCompleted, graph.At(l.Received)
	case l.Failed:
		out.Status = graph.LogsFailed
	}
	return out
}

// logsFailed notes that the device refused to collect.
func (t *Tenant) logsFailed(id string) error {
	return t.s.DB.Update(func(tx *store.Tx) error {
		if l, ok := t.s.logs.Get(tx, t.key(id)); ok && l.Received.IsZero() {
			l.Failed = true
			t.s.logs.Put(tx, t.key(id), l)
		}
		return nil
	})
}

// logURL is a signed address in the storage of diagnostics. What is signed is
// our own.
func (t *Tenant) logURL(l LogCollection, permission string, until time.Time) string {
	path, se := "/"+t.ID+"/"+l.DeviceID+"/"+l.ID+".zip", until.Format(time.RFC3339)
	q := url.Values{"sv": {"2021-12-02"}, "sr": {"b"}, "sp": {permission}, "se": {se}, "sig": {t.s.storageSignature(path+" "+permission, se)}}
	return (&url.URL{Scheme: "https", Host: hosts.LogUpload, Path: path, RawQuery: q.Encode()}).String()
}

// logs finds the collection that an address of the storage is about.
func (s *Service) logsAt(path string, query url.Values, permission string) (*Tenant, LogCollection, error) {
	se := query.Get("se")
	expires, err := time.Parse(time.RFC3339, se)
	switch {
	case err != nil, subtle.ConstantTimeCompare([]byte(query.Get("sig")), []byte(s.storageSignature(path+" "+permission, se))) != 1:
		return nil, LogCollection{}, ErrSignature
	case !s.Now().Before(expires):
		return nil, LogCollection{}, fmt.Errorf("%w: it expired", ErrSignature)
	}
	parts := strings.Split(strings.Trim(strings.TrimSuffix(path, ".zip"), "/"), "/")
	if len(parts) != 3 {
		return nil, LogCollection{}, ErrNotFound
	}
	t, err := s.Tenant(parts[0])
	if err != nil {
		return nil, LogCollection{}, err
	}
	l, err := t.LogCollection(parts[1], parts[2])
	return t, l, err
}

// ReceiveLogs takes an upload. A blob is written once or over itself.
func (s *Service) ReceiveLogs(ctx context.Context, path string, query url.Values, data []byte) error {
	t, l, err := s.logsAt(path, query, "w")
	if err != nil {
		return err
	}
	l.Received, l.Data, l.Failed = s.Now(), data, false
	if err := s.DB.Update(func(tx *store.Tx) error { s.logs.Put(tx, t.key(l.ID), l); return nil }); err != nil {
		return err
	}
	s.Record(ctx, "intune.logs.received", journal.F("id", l.ID), journal.F("device", l.DeviceID), journal.F("by", l.By), journal.Loose("bytes", len(data)))
	return nil
}

// Logs gives an uploaded package.
func (s *Service) Logs(path string, query url.Values) ([]byte, error) {
	_, l, err := s.logsAt(path, query, "r")
	if err == nil && l.Received.IsZero() {
		err = ErrNotFound
	}
	return l.Data, err
}
