package esp

import (
	"context"
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
)

// Resource is what a token for MDM enrolment and management is asked for.
const Resource = "https://enrollment.manage.microsoft.com/"

// Plan is what the page needs to know of the flow that it holds up.
type Plan struct {
	Technician bool        // pre-provisioning: the page does the joining and enrolling itself
	Tenant     join.Tenant // from the Autopilot profile
	ZtdID      string      // registration id, "" where the device has none
	UserSID    string      // whose account is set up; "" in the technician flow
	UPN        string      // for enrolment as a user
}

// DevicePreparation brings the PC under management. In the technician flow it
// is four visible rows; a user-driven PC is joined and enrolled before the page
// comes up, so that only the wait for the policy providers is left.
func DevicePreparation(w *device.Windows, plan Plan) error {
	if !plan.Technician {
		p := open(w, "DevicePreparation", RowPreparing)
		return p.run(step{RowPreparing, waitForProviders})
	}
	p := open(w, "DevicePreparation", RowHardware, RowNetwork, RowRegistering, RowPreparing)
	return p.run(
		step{RowHardware, attest},
		step{RowNetwork, applyPackages},
		step{RowRegistering, func(w *device.Windows) error { return register(w, plan) }},
		step{RowPreparing, waitForProviders},
	)
}

type step struct {
	row string
	do  func(*device.Windows) error
}

// run takes the rows one after the other and stops at the first that fails.
func (p *page) run(steps ...step) error {
	for _, s := range steps {
		p.set(s.row, inProgress, "Working on it...")
		if err := s.do(p.w); err != nil {
			if cause := context.Cause(p.w.Ctx); cause != nil {
				return cause
			}
			code, ok := hresult.CodeOf(err)
			if !ok {
				code = hresult.Fail
			}
			p.fail(s.row, "Failed: "+code.Hex())
			return &hresult.Error{Op: s.row, Phase: p.category + "." + subcategories[s.row], Code: code, Err: err}
		}
		p.set(s.row, succeeded, "Complete")
	}
	p.close(succeeded)
	return nil
}

var errAttestationWait = errors.New("the TPM was not attested in time")

// attest waits for the proof that this PC's TPM is genuine. Windows gives it
// so long and no longer.
func attest(w *device.Windows) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, w.Timing.TPM.AttestationWait, errAttestationWait)
	defer cancel()
	err := join.Attest(w.Under(ctx))
	if errors.Is(context.Cause(ctx), errAttestationWait) {
		return &hresult.Error{Op: "wait for attestation", Code: hresult.WaitTimeout, Err: errors.Join(errAttestationWait, err)}
	}
	return err
}

// applyPackages is the row named after the network: it applies provisioning
// packages, of which there are none, and takes its minimum of time.
func applyPackages(w *device.Windows) error {
	return w.Sleep(w.Timing.OOBE.PPKGMinimum, "provisioning packages")
}

// register joins with the TPM's proof and enrols with the device's own token.
func register(w *device.Windows, plan Plan) error {
	if !join.Status(w).Joined {
		if err := join.JoinAsDevice(w, plan.Tenant); err != nil {
			return err
		}
	}
	if mdm.Enrolled(w) {
		return nil // an earlier try got this far
	}
	token, err := join.TokenFor(w, Resource)
	if err != nil {
		return err
	}
	return mdm.Enroll(w, mdm.Enrollment{Token: token.Raw, WhiteGlove: true, ZtdID: plan.ZtdID})
}

var errProviderWait = errors.New("the policy provider did not report in time")

// waitForProviders runs management sessions until every policy provider has
// said that it is there, or is not needed.
func waitForProviders(w *device.Windows) error {
	limit := w.Timing.ESP.ProviderTimeout
	if v, ok := w.Registry().DWORD(providerKey, "Timeout"); ok && v != 0 {
		limit = time.Duration(v) * time.Minute
	}
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, limit, errProviderWait)
	defer cancel()
	u, next := w.Under(ctx), w.Clock.Now()
	for {
		seen := w.Signal(SignalProgress).Count()
		if s := readSettings(w, ""); s.sent || providerPresent(w) {
			switch state, _ := w.Registry().DWORD(providerKey, "InstallationState"); {
			case state == providerNotRequired || state == providerCompleted || !providerPresent(w):
				return nil
			case state == providerError:
				code, _ := w.Registry().DWORD(providerKey, "LastError")
				return &hresult.Error{Op: "policy provider Sidecar", Code: hresult.Code(code)}
			}
		}
		var err error // a session that failed is tried again, like any other
		if wait := next.Sub(w.Clock.Now()); wait > 0 {
			err = pause(u, wait, seen)
		} else {
			err = mdm.Sync(u, deviceSession())
			next = w.Clock.Now().Add(w.Timing.ESP.SessionInterval)
		}
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, errProviderWait):
			return &hresult.Error{Op: "wait for policy provider", Code: hresult.WaitTimeout, Err: errors.Join(errProviderWait, err)}
		case cause != nil:
			return cause
		case errors.Is(err, vclock.ErrStopped):
			return err
		}
	}
}

func deviceSession() mdm.Session { return mdm.Session{Origin: mdm.OriginEnrolled, Login: "none"} }

// pause waits until something that the page tracks has changed since the look
// at which the signal's count was seen, at most d.
func pause(w *device.Windows, d time.Duration, seen uint64) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, d, errPauseOver)
	defer cancel()
	if err := w.Signal(SignalProgress).After(ctx, seen); err != nil && !errors.Is(context.Cause(ctx), errPauseOver) {
		return err
	}
	return context.Cause(w.Ctx)
}

var errPauseOver = errors.New("nothing happened")
