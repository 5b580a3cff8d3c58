package device

import (
	"slices"
)

// KeyRebootPending holds who waits for a restart, a value each. It is empty
// again once Windows has started (where Windows keeps the component servicing's
// own; that everybody's are in one place is our model).
const KeyRebootPending = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`

// NeedRestart registers that something is in force only after a restart. Nobody
// restarts because of it alone: whoever decides about restarts looks at
// RestartNeeded.
func (w *Windows) NeedRestart(source string) {
	r := w.Registry()
	if r.HasValue(KeyRebootPending, source) {
		return
	}
	r.SetDWORD(KeyRebootPending, source, 1)
	w.Event("restart.needed", field("source", source))
}

// RestartNeeded lists who wants a restart, sorted.
func (w *Windows) RestartNeeded() []string {
	names := w.Registry().ValueNames(KeyRebootPending)
	slices.Sort(names)
	return names
}

// Restart restarts Windows in order, whoever asks for it: an installer, the
// Reboot CSP, an agent. The boot is over when it returns. Its context has ended
// with ErrReboot, and what still runs changes nothing any more, neither on the
// disk nor on the screen, just as if the power had gone; but the TPM is told.
func (w *Windows) Restart(why string) { w.endBoot("device.restart", why, ErrReboot) }

// ShutDown does the same and leaves the PC off.
func (w *Windows) ShutDown(why string) { w.endBoot("device.shutdown", why, ErrShutdown) }

func (w *Windows) endBoot(kind, why string, how error) {
	w.session.mu.Lock()
	over := w.session.over
	w.session.over = true
	w.session.mu.Unlock()
	if over || w.session.ctx.Err() != nil {
		return
	}
	w.Event(kind, field("why", why))
	w.PC.mu.Lock()
	w.dark.Store(true)
	w.PC.mu.Unlock()
	w.session.end(how) // where the power went meanwhile that was the first cause, and stays it
}

// lightUp lets the PC act again after a boot that was ended from within; not
// where its power has gone.
func (pc *PC) lightUp() {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if !pc.powerless {
		pc.dark.Store(false)
	}
}
