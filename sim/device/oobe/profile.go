package oobe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/qr"
	"windtunnel.test/sim/wire/ztd"
)

// Labels of the lines on the Autopilot pages.
const (
	LabelOrganization = "Organization"
	LabelProfile      = "Profile"
	LabelUser         = "Assigned user"
	LabelElapsed      = "Elapsed time"
	LabelError        = "Error"
	LabelPhase        = "Phase"
	LabelReason       = "Reason"
	LabelMessage      = "Message" // the organization's own
)

// qrSize is the picture's width and height in pixels.
const qrSize = 256

// cachedProfile gives the profile that was downloaded last; not the offline
// kind, which comes with an image.
func cachedProfile(w *device.Windows) (ztd.Profile, bool) {
	b, ok := w.Disk.Files.Read(device.FileProfile)
	if !ok {
		return ztd.Profile{}, false
	}
	var p ztd.Profile
	if json.Unmarshal(b, &p) != nil {
		return ztd.Profile{}, false
	}
	return p, true
}

// acquireProfile asks the deployment service once a boot: the answer is
// cached, whether it is a profile or a refusal, until the PC starts again
// (learn.microsoft.com, Autopilot FAQ: the profile is downloaded when the PC is
// online for the first time, and after each restart). A service that cannot be
// reached leaves what is cached. Only the loss of power is an error; a PC
// without a profile goes on as anybody's.
func acquireProfile(w *device.Windows) error {
	type key struct{}
	asked := device.Once(w, key{}, func() *bool { return new(bool) })
	if *asked && answered(w) {
		return nil
	}
	*asked = true
	w.Log(device.LogAutopilot, 160, "Information", "Autopilot profile acquisition begins")
	profile, err := ztd.Profile{}, errLost
	if !w.Has(defects.LosesProfile) {
		profile, err = downloadProfile(w)
	}
	if cause := powerLost(w); cause != nil {
		return cause
	}
	var refusal ztd.Negative
	switch {
	case err == nil:
		return keepProfile(w, profile)
	case errors.As(err, &refusal):
		dropProfile(w)
		w.Registry().SetString(device.KeyPolicyCache, "Refusal", refusal.Name)
		w.Registry().SetDWORD(device.KeyPolicyCache, "RefusalCode", uint32(refusal.Code))
		w.Log(device.LogAutopilot, refusal.Code, "Warning", refusal.Name)
	default:
		w.Log(device.LogAutopilot, 172, "Error", err.Error())
		if answered(w) {
			return nil
		}
	}
	w.Registry().SetDWORD(device.KeyPolicyCache, "ProfileAvailable", 0)
	w.Log(device.LogAutopilot, 100, "Warning", "Autopilot policy [CloudAssignedOobeConfig] not found.", "CloudAssignedOobeConfig")
	w.Event("autopilot.profile", journal.F("outcome", "none"), journal.F("error", err.Error()))
	return nil
}

var errLost = errors.New("no Autopilot profile was retrieved")

// AcquireProfile is what the first screens do about the Autopilot profile, for
// PCs that are set up by nobody: it asks the deployment service and gives what
// is cached then.
func AcquireProfile(w *device.Windows) (ztd.Profile, error) {
	if err := acquireProfile(w); err != nil {
		return ztd.Profile{}, err
	}
	p, ok := cachedProfile(w)
	if !ok {
		return p, profileError(w)
	}
	return p, nil
}

// answered tells whether an answer is cached.
func answered(w *device.Windows) bool {
	_, ok := cachedProfile(w)
	return ok || w.Registry().String(device.KeyPolicyCache, "Refusal") != ""
}

// refreshProfile drops the cached answer and asks again.
func refreshProfile(w *device.Windows) error {
	dropProfile(w)
	w.Log(device.LogManagement, 1007, "Information", "Autopilot policy cache cleared")
	return acquireProfile(w)
}

func dropProfile(w *device.Windows) {
	w.Disk.Files.Remove(device.FileProfile)
	w.Registry().DeleteTree(device.KeyPolicyCache)
	w.Registry().DeleteTree(device.KeyAutopilot)
}

// downloadProfile presents the device ticket to the deployment service. The
// ticket, not a hash, says which hardware this is.
func downloadProfile(w *device.Windows) (ztd.Profile, error) {
	ticket, err := join.Ticket(w)
	if err != nil {
		return ztd.Profile{}, err
	}
	body, err := json.Marshal(ztd.Request{
		Serial: w.Hardware.Serial, ProductKeyID: w.Hardware.ProductKeyID, OSVersion: "10.0." + w.Installation.Build,
	})
	if err != nil {
		return ztd.Profile{}, err
	}
	resp, err := w.Do(device.Request{
		Op: "download Autopilot profile", Method: http.MethodPost, URL: "https://" + hosts.Autopilot + ztd.Path, Body: body,
		Header: http.Header{http.CanonicalHeaderKey(ztd.TicketHeader): {ticket}, "Content-Type": {"application/json"}},
	})
	if err != nil {
		return ztd.Profile{}, err
	}
	if resp.Status != http.StatusOK {
		return ztd.Profile{}, &hresult.Error{Op: "download Autopilot profile", Code: hresult.FromHTTPStatus(resp.Status)}
	}
	profile, negative, err := ztd.ParseAnswer(resp.Body)
	if negative != nil {
		return ztd.Profile{}, *negative
	}
	return profile, err
}

// keepProfile writes the profile where Windows keeps it.
func keepProfile(w *device.Windows, p ztd.Profile) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("cache Autopilot profile: %w", err)
	}
	w.Disk.Files.Write(device.FileProfile, b)
	r := w.Registry()
	r.Delete(device.KeyPolicyCache, "Refusal")
	r.Delete(device.KeyPolicyCache, "RefusalCode")
	nameComputer(w, p.CloudAssignedDeviceName)
	r.SetString(device.KeyPolicyCache, "PolicyJsonCache", string(b))
	r.SetDWORD(device.KeyPolicyCache, "ProfileAvailable", 1)
	r.SetString(device.KeyAutopilot, "DeploymentProfileName", p.DeploymentProfileName)
	r.SetString(device.KeyAutopilot, "CloudAssignedTenantDomain", p.CloudAssignedTenantDomain)
	r.SetString(device.KeyAutopilot, "CloudAssignedTenantId", p.CloudAssignedTenantID)
	r.SetString(device.KeyAutopilot, "CloudAssignedTenantUpn", p.CloudAssignedTenantUpn)
	r.SetDWORD(device.KeyAutopilot, "CloudAssignedOobeConfig", uint32(p.CloudAssignedOobeConfig))
	w.Log(device.LogAutopilot, 153, "Information", "AutopilotManager reported the state changed from ProfileState_Unknown to ProfileState_Available.", "ProfileState_Unknown", "ProfileState_Available")
	w.Log(device.LogAutopilot, 161, "Information", "Autopilot profile found: "+p.DeploymentProfileName)
	w.Event("autopilot.profile", journal.F("outcome", "found"), journal.F("profile", p.DeploymentProfileName), journal.F("user", p.CloudAssignedTenantUpn))
	return nil
}

// nameComputer applies the profile's name template, once: a name with random
// digits stays as it first came out. A template that gives no name that Windows
// takes leaves the PC the name that setup made up.
func nameComputer(w *device.Windows, template string) {
	r := w.Registry()
	if template == "" || r.String(device.KeyOOBE, "NameTemplate") == template {
		return
	}
	digits := func(n int) string {
		var b strings.Builder
		for _, v := range w.Random(n) {
			b.WriteByte('0' + v%10)
		}
		return b.String()
	}
	name, err := ztd.ExpandDeviceName(template, w.Hardware.Serial, digits)
	if err != nil {
		w.Log(device.LogAutopilot, 112, "Warning", err.Error())
		return
	}
	if len(name) == ztd.MaxName && w.Has(defects.CutsNames) {
		name = name[:ztd.MaxName-1]
	}
	r.SetString(device.KeyOOBE, "NameTemplate", template)
	r.SetString(device.KeyOOBE, "ComputerName", name)
}

// profileError is what the failure page says where there is no profile.
func profileError(w *device.Windows) error {
	name := w.Registry().String(device.KeyPolicyCache, "Refusal")
	if name == "" {
		name = "no answer from the deployment service"
	}
	return &hresult.Error{Op: "Autopilot profile", Phase: "Landing", Code: hresult.NotFound, Err: errors.New(name)}
}

// configuration is the screen with profile, organisation, user and QR code,
// as the landing page and both result pages show it.
func configuration(w *device.Windows, p ztd.Profile, id, title string) (device.Screen, error) {
	user := p.CloudAssignedTenantUpn
	if user == "" {
		user = "not assigned"
	}
	s := device.Screen{ID: id, Title: title, Lines: []device.Line{
		{Label: LabelOrganization, Value: p.CloudAssignedTenantDomain},
		{Label: LabelProfile, Value: p.DeploymentProfileName},
		{Label: LabelUser, Value: user},
	}}
	if p.ZtdRegistrationID == "" {
		return s, nil
	}
	payload := qr.New(p.ZtdRegistrationID, w.Hardware.Serial, w.Hardware.ProductKeyID)
	s.Picture = func() ([]byte, error) { return payload.PNG(qrSize) }
	return s, nil
}
