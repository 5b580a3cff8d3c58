package device

import (
	"context"
)

// Start types of a Windows service (HKLM\SYSTEM\...\Services\<name>\Start).
const (
	StartAutomatic uint32 = 2
	StartManual    uint32 = 3
	StartDisabled  uint32 = 4
)

// Provide says what runs as the service of that name in this boot. Whoever
// composes Windows provides all of them before anything else runs, so that the
// installer of a service need not know its code.
func (w *Windows) Provide(name string, f func(ctx context.Context)) {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	w.provided[name] = f
}

// TaskAIK is the scheduled task that enrols the certificate of the TPM's
// attestation key.
const TaskAIK = "AikCertEnrollTask"

// RunTask runs what is provided under a name and returns when it is done;
// false where nothing is.
func (w *Windows) RunTask(name string) bool {
	w.session.mu.Lock()
	f := w.provided[name]
	w.session.mu.Unlock()
	if f == nil {
		return false
	}
	f(w.Ctx)
	return true
}

// InstallService registers a service to start with Windows, and starts it.
func (w *Windows) InstallService(name string) {
	w.Registry().SetDWORD(KeyServices+`\`+name, "Start", StartAutomatic)
	w.StartService(name)
}

// StartService starts an installed service; false where it is not installed,
// disabled, or nothing provides it.
func (w *Windows) StartService(name string) bool {
	w.session.mu.Lock()
	f := w.provided[name]
	w.session.mu.Unlock()
	start, installed := w.Registry().DWORD(KeyServices+`\`+name, "Start")
	if f == nil || !installed || start == StartDisabled {
		return false
	}
	w.Service(name, f)
	return true
}

// StartServices starts all services whose start type is automatic.
func (w *Windows) StartServices() {
	for _, name := range w.Registry().Subkeys(KeyServices) {
		if start, _ := w.Registry().DWORD(KeyServices+`\`+name, "Start"); start == StartAutomatic {
			w.StartService(name)
		}
	}
}

// ServiceEnabled tells whether a service may start. Services that Windows
// brings with it and nobody changed have no entry here and are enabled.
func (w *Windows) ServiceEnabled(name string) bool {
	start, set := w.Registry().DWORD(KeyServices+`\`+name, "Start")
	return !set || start != StartDisabled
}
