package ztd

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/hwhash"
	wire "windtunnel.test/sim/wire/ztd"
)

// mdmApplication is the application id of Microsoft Intune enrolment.
const mdmApplication = "0000000a-0000-0000-c000-000000000000"

// maxBody bounds a request: a hardware hash fits several times.
const maxBody = 16 << 10

// operation is what refusals are journaled as.
const operation = "ztd.profile"

// Handler answers for ztd.dds.microsoft.com.
type Handler struct{ s *tenant.Service }

// New makes a handler over a service.
func New(s *tenant.Service) *Handler { return &Handler{s} }

// refusal is an answer that is not 200.
type refusal struct {
	status int
	check  string
	cause  error
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %v", r.check, r.cause) }

// ServeHTTP answers POST /ztd/v1/profile.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.URL.Path, wire.Path) || r.Method != http.MethodPost {
		h.s.Refused(r.Context(), "ztd", Operation(r), "not modelled", "501")
		answer(w, http.StatusNotImplemented, message{"not modelled: " + r.Method + " " + r.URL.Path})
		return
	}
	p, err := h.profile(r)
	var negative wire.Negative
	var no *refusal
	switch {
	case err == nil:
		answer(w, http.StatusOK, p)
	case errors.As(err, &negative):
		// Negative answers have a 200: the service did what it was asked.
		answer(w, http.StatusOK, negative)
	case errors.As(err, &no):
		h.s.Refused(r.Context(), "ztd", operation, no.check, strconv.Itoa(no.status))
		answer(w, no.status, message{no.Error()})
	default:
		h.s.Refused(r.Context(), "ztd", operation, "internal", "500")
		answer(w, http.StatusInternalServerError, message{"internal"})
	}
}

type message struct {
	Message string `json:"message"`
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no error of the service
}

// profile finds the registration of the caller's hardware and gives what it is
// to download. A wire.Negative is one of the errors.
func (h *Handler) profile(r *http.Request) (wire.Profile, error) {
	ticket, err := h.s.Tickets.VerifyTicket(r.Context(), r.Header.Get(wire.TicketHeader), h.s.Now())
	if err != nil {
		return wire.Profile{}, &refusal{http.StatusUnauthorized, "device ticket", err}
	}
	req, err := readRequest(r)
	if err != nil {
		return wire.Profile{}, err
	}
	reg, check, negative := h.find(ticket, req)
	if negative == (wire.Negative{}) {
		return h.give(r, reg)
	}
	return wire.Profile{}, h.refuse(r, reg, check, negative)
}

func (h *Handler) refuse(r *http.Request, reg tenant.Registration, check string, n wire.Negative) error {
	h.s.Refused(r.Context(), "ztd", operation, check, fmt.Sprintf("%d %s", n.Code, n.Name))
	if n != wire.HardwareMismatch {
		return n
	}
	t, err := h.s.Tenant(reg.TenantID)
	if err != nil {
		return err
	}
	if err := t.Contacted(reg.ID, true); err != nil {
		return err
	}
	return n
}

func readRequest(r *http.Request) (wire.Request, error) {
	var req wire.Request
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case err != nil:
		return req, &refusal{http.StatusBadRequest, "body", err}
	case len(body) > maxBody:
		return req, &refusal{http.StatusRequestEntityTooLarge, "body", errors.New("request body is too long")}
	case kind != "" && kind != "application/json":
		return req, &refusal{http.StatusUnsupportedMediaType, "content type", fmt.Errorf("%s", kind)}
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return req, &refusal{http.StatusBadRequest, "body", err}
	}
	if req.HardwareHash != "" {
		if _, err := hwhash.DecodeBase64(req.HardwareHash); err != nil {
			return req, &refusal{http.StatusBadRequest, "hardware hash", err}
		}
	}
	return req, nil
}

// find matches the hardware of ticket and request with what was registered. The
// zero Negative means that it fits; otherwise check says what did not.
func (h *Handler) find(ticket tenant.TicketInfo, req wire.Request) (reg tenant.Registration, check string, n wire.Negative) {
	reg, ok := h.s.ByHardware(ticket.HardwareID)
	if !ok {
		// The board was changed if the TPM, or at least the serial number on the case, is known.
		if reg, ok = h.byKey(ticket); !ok {
			reg, ok = h.s.BySerial(req.Serial)
		}
		if ok {
			return reg, "hardware", wire.HardwareMismatch
		}
		return reg, "registration", wire.DeviceIsNotRegistered
	}
	if ticket.TPMValidated && reg.Hardware.HasTPM() && !strings.EqualFold(ticket.EKHash, hex.EncodeToString(reg.Hardware.EKHash[:])) {
		return reg, "endorsement key", wire.HardwareMismatch
	}
	if req.Serial != "" && !strings.EqualFold(strings.TrimSpace(req.Serial), strings.TrimSpace(reg.Serial)) {
		return reg, "serial number", wire.HardwareMismatch
	}
	if req.ProductKeyID != "" && reg.ProductKey != "" && !strings.EqualFold(req.ProductKeyID, reg.ProductKey) {
		return reg, "product key", wire.HardwareMismatch
	}
	if req.HardwareHash != "" && !matches(reg, req.HardwareHash) {
		return reg, "hardware hash", wire.HardwareMismatch
	}
	return reg, "", wire.Negative{}
}

func (h *Handler) byKey(ticket tenant.TicketInfo) (tenant.Registration, bool) {
	key, err := hex.DecodeString(ticket.EKHash)
	if !ticket.TPMValidated || err != nil || len(key) != 32 {
		return tenant.Registration{}, false
	}
	return h.s.ByEK([32]byte(key))
}

// matches compares a presented hash with the registered one. Both decode: they
// were decoded before.
func matches(reg tenant.Registration, presented string) bool {
	was, err := hwhash.Decode(reg.Hardware.Hash())
	if err != nil {
		return false
	}
	is, err := hwhash.DecodeBase64(presented)
	if err != nil {
		return false
	}
	ok, _ := hwhash.Match(was, is)
	return ok
}

// give answers with the assigned profile.
func (h *Handler) give(r *http.Request, reg tenant.Registration) (wire.Profile, error) {
	t, err := h.s.Tenant(reg.TenantID)
	if err != nil {
		return wire.Profile{}, err
	}
	resource, err := t.Profile(reg)
	switch {
	case errors.Is(err, tenant.ErrProfileGone):
		return wire.Profile{}, h.refuse(r, reg, "profile", wire.ProfileDoesNotExist)
	case err != nil:
		return wire.Profile{}, h.refuse(r, reg, "assignment", wire.DeviceHasNoAssignedProfile)
	}
	if err := t.Contacted(reg.ID, false); err != nil {
		return wire.Profile{}, err
	}
	p := wire.FromGraphProfile(resource)
	p.CloudAssignedTenantID, p.CloudAssignedTenantDomain = t.ID, t.Domain
	p.CloudAssignedTenantUpn = reg.UserPrincipalName
	p.CloudAssignedMdmID = mdmApplication
	p.IsExplicitProfileAssignment = reg.Explicit
	p.ZtdRegistrationID, p.AadDeviceID = reg.ID, reg.EntraDeviceID
	p.PolicyDownloadDate = h.s.Now().UTC()
	download := strconv.Itoa(reg.Version) + "/" + p.PolicyDownloadDate.Format("2006-01-02T15:04:05.000")
	p.AutopilotServiceCorrelationID = h.s.Seed.UUID("ztd download", reg.ID, download)
	p.PolicyDownloadCorrelationVector = strings.ReplaceAll(p.AutopilotServiceCorrelationID, "-", "")[:16] + ".0"
	h.s.Record(r.Context(), operation, journal.F("serial", reg.Serial), journal.F("ztdId", reg.ID),
		journal.F("profile", resource.DisplayName), journal.F("user", reg.UserPrincipalName), journal.F("version", reg.Version))
	return p, nil
}

// Operation names a request for the journal and for fault rules.
func Operation(r *http.Request) string {
	if strings.EqualFold(r.URL.Path, wire.Path) {
		return operation
	}
	return r.Method + " " + r.URL.Path
}
