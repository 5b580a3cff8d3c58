package join

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

// TaskRegistration is the scheduled task that registers a member of a domain
// with Entra ID (\Microsoft\Windows\Workplace Join\Automatic-Device-Join).
const TaskRegistration = "Automatic-Device-Join"

// Phases of a registration, as dsregcmd names them (learn.microsoft.com,
// "Troubleshoot devices by using the dsregcmd command").
const (
	PhasePreCheck = "pre-check"
	PhaseDiscover = "discover"
	PhaseAuth     = "auth"
	PhaseJoin     = "join"
)

const opHybrid = "register hybrid device"

var (
	errNotMember    = errors.New("the computer is not a member of a domain")
	errFederatedDRS = errors.New("the tenant's domain is federated; registration by a federation service (WS-Trust) is not modelled")
)

// hybridRun is the one run of the task that a PC has at a time.
type hybridRun struct {
	free vclock.Cond
	busy bool
}

type hybridKey struct{}

// RegisterHybrid is one run of the task Automatic-Device-Join: it looks for a
// controller, reads which tenant is the domain's, shows the key that it made to
// the directory, and claims the device object that the directory sync has made
// (learn.microsoft.com, "How Microsoft Entra device registration works", hybrid
// joined in managed environments). A PC that Entra ID knows already, or that is
// not of a domain, has nothing to do; the latter is an error.
//
// The error carries the client's code. Until the sync has been there that is
// 0x801C03F2, which the next run makes good.
func RegisterHybrid(w *device.Windows) error {
	run := device.Once(w, hybridKey{}, func() *hybridRun { return &hybridRun{free: w.Clock.NewCond(w.Name + " registration")} })
	mine := false
	for !mine {
		if err := run.free.Await(w.Ctx, func() bool { return !run.busy }); err != nil {
			return err
		}
		run.free.Change(func() { mine, run.busy = !run.busy, true })
	}
	defer run.free.Change(func() { run.busy = false })
	if Status(w).Joined {
		return nil
	}
	h := &hybrid{w: w, phase: PhasePreCheck}
	err := h.register()
	if cause := gone(w); cause != nil {
		return cause
	}
	h.keep(err)
	return err
}

// hybrid is one run.
type hybrid struct {
	w     *device.Windows
	m     device.Membership
	phase string
	tests map[string]string // dsregcmd's tests, by name

	ad       *adclient.Session
	dc       *adclient.Controller
	tenant   Tenant
	computer computer
	server   *drs.ErrorDetails // of a refusal
	status   int               // its HTTP status
}

func (h *hybrid) register() (err error) {
	w := h.w
	h.tests = map[string]string{}
	var member bool
	if h.m, member = w.Domain(); !member {
		return hresult.New(opHybrid, hresult.AutoJoinADConfigRead, errNotMember)
	}
	if h.dc, err = adclient.Locate(w.Ctx, w.ADHost(), h.m.Domain, h.m.Site); err != nil {
		return h.test(testConnectivity, hresult.New(opHybrid, hresult.NoSuchDomain, err))
	}
	h.tests[testConnectivity] = passed
	h.phase = PhaseDiscover
	if err = h.test(testConfiguration, h.configuration()); err != nil {
		return err
	}
	defer h.ad.Close()
	found, err := h.discover()
	if err != nil {
		return err
	}
	h.phase = PhaseAuth
	if err := h.identify(); err != nil {
		return err
	}
	keys, err := waitingKeys(h.w)
	if err != nil {
		return err
	}
	h.phase = PhaseJoin
	return h.claim(found, keys)
}

// discover finds the registration service of the tenant, and that its domain is
// one whose users Entra ID signs in itself: a federated one would have to be
// asked for a token here.
func (h *hybrid) discover() (*drs.Discovery, error) {
	found, err := discover(h.w, Tenant{ID: h.tenant.Domain})
	if err = h.test(testDiscovery, discoveryError(err)); err != nil {
		return nil, err
	}
	federated, err := h.federated()
	if err = h.test(testDiscovery, err); err != nil {
		return nil, err
	}
	if federated {
		h.phase = PhaseAuth
		err = hresult.New(opHybrid, hresult.WAMNoEndpoint, errFederatedDRS)
	}
	return found, h.test(testToken, err)
}

// federated asks who signs the domain's users in.
func (h *hybrid) federated() (bool, error) {
	realm, err := userRealm(h.w, "windtunnel@"+h.tenant.Domain)
	switch {
	case err != nil && !secure(err):
		return false, hresult.New(opHybrid, hresult.AutoJoinRealmDiscovery, err)
	case err != nil:
		return false, err
	case realm.AccountType != oauth.RealmFederated && realm.AccountType != oauth.RealmManaged:
		return false, hresult.New(opHybrid, hresult.JoinTenantNotFound, fmt.Errorf("AADSTS90002: Tenant '%s' not found", h.tenant.Domain))
	}
	return realm.AccountType == oauth.RealmFederated, nil
}

// discoveryError is what the task makes of a discovery that did not come about:
// the codes of the network stand behind its own, but for those of TLS and of
// what is no document, which stand alone.
func discoveryError(err error) error {
	code, _ := hresult.CodeOf(err)
	switch code {
	case hresult.InternetTimeout, hresult.InternetNameUnknown, hresult.InternetCannotConnect, hresult.InternetAborted:
		return hresult.New(opHybrid, hresult.AutoJoinDiscoveryFailed, err)
	}
	return err
}

func secure(err error) bool {
	code, _ := hresult.CodeOf(err)
	return code == hresult.InternetSecureFailure || code == hresult.InvalidData
}

// claim sends PUT /EnrollmentServer/device/{objectGUID}.
func (h *hybrid) claim(found *drs.Discovery, k *keys) error {
	w := h.w
	resp, err := w.Do(device.Request{
		Op: opHybrid, Method: http.MethodPut, URL: drs.SyncJoinURL(found.DeviceJoinService, h.computer.guid),
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {fmt.Sprintf(drs.UserAgent, "10.0."+w.Installation.Build)}},
		Make: device.Fresh(func() ([]byte, error) {
			identity, err := h.sign(w.Now())
			if err != nil {
				return nil, err
			}
			return json.Marshal(drs.SyncJoinRequest{
				CertificateRequest: k.request, JoinType: drs.JoinHybrid, Attributes: drs.Attributes{ReuseDevice: true, ReturnClientSID: true},
				ServerAdJoinData: drs.ServerAdJoinData{
					TransportKey: k.transport, TargetDomain: h.tenant.Domain, DeviceType: "Windows", OSVersion: "10.0." + w.Installation.Build,
					DeviceDisplayName: w.ComputerName(), SourceDomainController: h.dc.Name, TargetDomainID: h.tenant.ID, ClientIdentity: identity,
				},
			})
		}),
	})
	if err != nil {
		return h.test(testDRS, err)
	}
	h.tests[testDRS] = passed
	if resp.Status != http.StatusOK {
		var body drs.ErrorDetails
		if json.Unmarshal(resp.Body, &body) == nil && body.Code != "" {
			h.server, h.status = &body, resp.Status
		}
		if resp.Status == http.StatusServiceUnavailable && h.server == nil {
			return hresult.New(opHybrid, hresult.JoinServerBusy, hresult.New(opHybrid, hresult.FromHTTPStatus(resp.Status), nil))
		}
		return refusal(opHybrid, resp)
	}
	return keepJoin(w, opHybrid, h.tenant, h.m.Computer+"$@"+h.m.Domain, resp.Body)
}

// RegistrationTask is the body of the task as Windows schedules it: at the start
// of a member of a domain and then every hour, until Entra ID knows it. Each
// sign-in runs it by itself; see [LogOnDomain].
func RegistrationTask(w *device.Windows) func(ctx context.Context) {
	return func(ctx context.Context) {
		u := w.Under(ctx)
		for {
			if _, member := u.Domain(); !member || Status(u).Joined {
				return
			}
			begin := u.Clock.Now()
			if RegisterHybrid(u) == nil || gone(u) != nil {
				return
			}
			left := u.Timing.Hybrid.RegistrationRetry - u.Clock.Now().Sub(begin)
			if u.Sleep(max(left, time.Second), TaskRegistration) != nil {
				return
			}
		}
	}
}

// registerAtSignIn runs the task beside a sign-in.
func registerAtSignIn(w *device.Windows) {
	if _, member := w.Domain(); !member || Status(w).Joined {
		return
	}
	w.Service(TaskRegistration+" at sign-in", func(ctx context.Context) {
		_ = RegisterHybrid(w.Under(ctx)) // it writes down itself how it went
	})
}
