package ending

import (
	"context"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// Impossible says what is true of a PC, by its disk and by what the services
// have of it, that cannot be true of a PC with Windows, whatever happened to it.
// It is for PCs that are at rest: off, at the desktop, or on a screen that waits
// for somebody. Nil is a PC as it may be. The caller is an actor of the PC's
// world; an error is that the services could not be asked.
func Impossible(ctx context.Context, w *sim.World, pc *device.PC) (found []string, err error) {
	s := state{packages: map[string]string{}, pc: pc, r: pc.Disk.Registry, stage: pc.Disk.Registry.String(device.KeyOOBE, "Stage")}
	for _, a := range w.Tenant.Apps {
		if a.WinGetApp != nil {
			s.packages[a.DisplayName] = a.PackageIdentifier
		}
	}
	s.current = s.r.String(device.KeyEnrollments, "Current")
	s.enrollment = device.KeyEnrollments + `\` + s.current
	for _, rule := range []func(*state) []string{
		enrolment, joining, resealing, arriving, membership, services,
		msiPackages, trackedApps, products, firstSync, certificatesThere, policiesThere,
	} {
		found = append(found, rule(&s)...)
	}
	asked := &cloud{ctx: ctx, w: w, admin: w.Administrator()}
	for _, rule := range []func(*cloud, *state) ([]string, error){records, inDirectory} {
		more, err := rule(asked, &s)
		if err != nil {
			return found, fmt.Errorf("ask the services about %s: %w", pc.Name, err)
		}
		found = append(found, more...)
	}
	return found, nil
}

// cloud is the services, for whoever may ask them.
type cloud struct {
	ctx   context.Context
	w     *sim.World
	admin *sim.Administrator
}

func (c *cloud) graph(path string, out any) error {
	return c.admin.Graph(c.ctx, http.MethodGet, "https://"+hosts.Graph+path, nil, out)
}

// state is a PC's disk as the rules look at it.
type state struct {
	pc                  *device.PC
	r                   *device.Registry
	stage               string            // of setup
	current, enrollment string            // identifier of the MDM enrolment, and its key
	packages            map[string]string // of apps of a WinGet source, by the app's name: what they are installed as
}

func (s *state) enrolled() bool { return s.current != "" }

func (s *state) dword(key, name string) uint32 {
	v, _ := s.r.DWORD(key, name)
	return v
}

func (s *state) list(format string, args ...any) []string {
	return []string{fmt.Sprintf(format, args...)}
}

// enrolment: an MDM enrolment is an account, a certificate, and the key that
// the certificate is about; and there is one.
func enrolment(s *state) (found []string) {
	accounts := 0
	for _, id := range s.r.Subkeys(device.KeyEnrollments) {
		if s.r.String(device.KeyEnrollments+`\`+id, "ProviderID") != "" {
			accounts++
		}
	}
	if accounts > 1 {
		found = append(found, fmt.Sprintf("%d MDM enrolments", accounts))
	}
	if !s.enrolled() {
		return found
	}
	if s.r.String(s.enrollment, "ProviderID") == "" || s.r.String(s.enrollment, "EntDMID") == "" {
		found = append(found, "enrolled without an account")
	}
	cert, ok := s.pc.Disk.Certs.Find(device.StoreMySystem, "mdm")
	if !ok {
		return append(found, "enrolled without an MDM certificate")
	}
	return append(found, s.keyOf(cert)...)
}

// joining: who is joined has a device certificate and its key in the TPM, and
// the registry says so.
func joining(s *state) (found []string) {
	cert, ok := s.pc.Disk.Certs.Find(device.StoreMySystem, "entra-device")
	info := s.r.Subkeys(device.KeyJoinInfo)
	switch {
	case !ok && len(info) > 0:
		return s.list("joined without a device certificate")
	case ok && len(info) == 0:
		return s.list("a device certificate without a join")
	case !ok:
		return nil
	case len(info) > 1:
		found = s.list("joined %d times", len(info))
	}
	if s.r.String(device.KeyJoinInfo+`\`+info[0], "DeviceId") == "" {
		found = append(found, "joined as no device")
	}
	if s.pc.Disk.Keys.Get("entra-transport") == nil {
		found = append(found, "joined without a transport key")
	}
	return append(found, s.keyOf(cert)...)
}

// keyOf compares a certificate with the key in its container. The wrapped form
// of a TPM's key begins with its public area (TPM 2.0 part 2, 12.2.5).
func (s *state) keyOf(c device.Certificate) []string {
	blob := s.pc.Disk.Keys.Get(c.Container)
	if blob == nil {
		return s.list("certificate %s without its key", c.Name)
	}
	cert, err := c.Parse()
	if err != nil {
		return s.list("certificate %s: %v", c.Name, err)
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil // a software key
	}
	if n := modulus(blob); n == nil || n.Cmp(public.N) != 0 {
		return s.list("certificate %s about another key than the one in its container", c.Name)
	}
	return nil
}

func modulus(blob []byte) *big.Int {
	if len(blob) < 2 || len(blob) < 2+int(binary.BigEndian.Uint16(blob)) {
		return nil
	}
	area, err := tpm2.Unmarshal[tpm2.TPMTPublic](blob[2 : 2+binary.BigEndian.Uint16(blob)])
	if err != nil {
		return nil
	}
	unique, err := area.Unique.RSA()
	if err != nil {
		return nil
	}
	return new(big.Int).SetBytes(unique.Buffer)
}

// resealing: what Reseal leaves is enrolled, and nothing of the technician's is
// in the way of the next person. Later boots read a profile and track anew.
func resealing(s *state) (found []string) {
	if s.stage == "technician" && s.r.String(device.KeyOOBE, "WhiteGloveStart") == "" {
		found = append(found, "in the technician flow, which nobody began")
	}
	if s.stage != "resealed" {
		return found
	}
	if !s.enrolled() {
		found = append(found, "resealed but not enrolled")
	}
	for _, v := range []string{"WhiteGloveStart", "WhiteGloveSuccess"} {
		if s.r.String(device.KeyOOBE, v) != "" {
			found = append(found, "resealed with "+v)
		}
	}
	if s.pc.On() {
		return found
	}
	if _, cached := s.pc.Disk.Files.Read(device.FileProfile); cached && !s.startedSince() {
		found = append(found, "resealed with a cached profile")
	}
	for _, v := range []string{"IsSyncDone", "ServerHasFinishedProvisioning"} {
		if s.r.HasValue(s.enrollment+`\FirstSync`, v) && !s.startedSince() {
			found = append(found, "resealed with "+v)
		}
	}
	if s.r.Has(device.KeyTracking+`\Device\Setup\Apps\Tracking\Sidecar`) && !s.startedSince() {
		found = append(found, "resealed with tracking policies of the management extension")
	}
	return found
}

// startedSince tells whether Windows has run since Reseal: the user's first
// screens leave their choices behind.
func (s *state) startedSince() bool {
	return s.r.String(device.KeyPolicyCache, "PolicyJsonCache") != "" || s.r.String(device.KeyPolicyCache, "Refusal") != ""
}

// arriving: nobody works on a PC that is not theirs. A member of a domain waits
// for its user at the logon screen, for its registration within the session, and
// does without a refresh token where the user will not give Entra ID's
// credentials.
func arriving(s *state) (found []string) {
	if s.stage != "done" && s.stage != "user" {
		return nil
	}
	_, member := s.pc.Domain()
	if !member && len(s.r.Subkeys(device.KeyJoinInfo)) == 0 {
		found = append(found, "a user's account on a PC that is not joined")
	}
	if !s.enrolled() {
		found = append(found, "a user's account on a PC that is not enrolled")
	}
	if s.r.String(device.KeyOOBE, "UserSID") == "" && !(member && s.stage == "user") {
		found = append(found, "a user's account without a user")
	}
	if s.stage == "done" && !member && s.r.String(device.KeyIdentityStore+`\PRT`, "Token") == "" {
		found = append(found, "a desktop without the user's primary refresh token")
	}
	return found
}

// services: the sign-in assistant is disabled by the policy that disables it, and
// a service of the management extension comes with its package.
func services(s *state) (found []string) {
	wlid := s.dword(device.KeyServices+`\`+device.ServiceWLID, "Start") == device.StartDisabled
	if policy := s.r.String(device.KeyPolicyManager+`\device\Accounts`, "AllowMicrosoftAccountSignInAssistant"); wlid != (policy == "0") {
		found = append(found, "wlidsvc is disabled and no policy says so, or the other way round")
	}
	if s.r.Has(device.KeyServices+`\`+device.ServiceIME) && !slices.ContainsFunc(s.r.Subkeys(device.KeyUninstall), func(p string) bool {
		return strings.Contains(p, "Management Extension")
	}) {
		found = append(found, "the management extension's service without the management extension")
	}
	if _, ok := s.pc.Disk.Certs.Find(device.StoreMySystem, "ime"); ok && s.pc.Disk.Keys.Get("ime") == nil {
		found = append(found, "certificate ime without its key")
	}
	return found
}

// strangers are joins of PCs that could not say that they are registered, since
// their clock was wrong and their device ticket was refused: Entra ID makes a
// device of them beside the registration's.
func strangers(w *sim.World) (n int) {
	for _, pc := range w.PCs {
		refused := false
		for h := range pc.History {
			switch {
			case h.Kind == "msa.ticket":
				refused = false
			case h.Kind == journal.Refused && h.Text("operation") == "msa.ticket":
				refused = true
			case h.Kind == "entra.device.joined" && refused && h.Text("reused") == "false":
				n++
			}
		}
	}
	return n
}

// records: the services have one of everything for one PC, and they have it where
// the PC says so.
func records(c *cloud, s *state) (found []string, err error) {
	var managed graph.Collection[graph.ManagedDevice]
	var all graph.Collection[graph.AutopilotDevice]
	var devices graph.Collection[graph.Device]
	if err := errors.Join(
		c.graph("/v1.0/deviceManagement/managedDevices", &managed),
		c.graph("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities", &all),
		c.graph("/v1.0/devices", &devices),
	); err != nil {
		return nil, err
	}
	n := 0
	for _, d := range managed.Value {
		if d.SerialNumber == s.pc.Hardware.Serial {
			n++
		}
	}
	if n > 1 {
		found = append(found, fmt.Sprintf("%d managed devices for one PC", n))
	}
	if s.enrolled() && n == 0 {
		found = append(found, "enrolled, and Intune does not know it")
	}
	registered := 0
	for _, d := range all.Value {
		if d.SerialNumber == s.pc.Hardware.Serial {
			registered++
		}
	}
	if registered > 1 {
		found = append(found, fmt.Sprintf("%d registrations for one PC", registered))
	}
	objects := 0
	for _, d := range devices.Value {
		if d.TrustType != "ServerAd" { // those come from the domain, beside the ones of the registrations
			objects++
		}
	}
	if objects > len(c.w.PCs)+strangers(c.w) {
		found = append(found, fmt.Sprintf("%d device objects for %d PCs", objects, len(c.w.PCs)))
	}
	return found, nil
}
