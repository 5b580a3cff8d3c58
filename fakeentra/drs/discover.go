package drs

import (
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	wire "windtunnel.test/sim/wire/drs"
)

// discoverVersions are those that clients of Windows 10 and 11 and open clients
// ask with.
var discoverVersions = []string{"1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"}

// discover answers with the tenant's document ([MS-DVRD] 3.1.5).
func (s *Service) discover(w http.ResponseWriter, r *http.Request, name string) {
	if err := version(r, discoverVersions...); err != nil {
		s.refused(w, r, "drs.discover", err)
		return
	}
	t, err := s.dir.Tenant(name)
	if err != nil {
		s.refuse(w, r, "drs.discover", "tenant", wire.InvalidRequest, wire.SubTenantNotFound, err.Error())
		return
	}
	service.WriteJSON(w, http.StatusOK, wire.NewDiscovery(wire.TenantInfo{
		TenantID: t.ID, TenantName: t.DefaultDomain(), DisplayName: t.DisplayName, OtherDeviceManagement: t.OtherMDM,
	}))
}

// nonce gives a value for one join without a user.
func (s *Service) nonce(w http.ResponseWriter, r *http.Request, name string) {
	t, err := s.dir.Tenant(name)
	if err != nil {
		s.refuse(w, r, "drs.nonce", "tenant", wire.InvalidRequest, wire.SubTenantNotFound, err.Error())
		return
	}
	now := s.Now()
	value, err := s.nonces.New(s.NewSecret("nonce"), t.ID, now, now.Add(s.Timing.Join.NonceLife))
	if err != nil {
		s.refuse(w, r, "drs.nonce", "internal", wire.InternalServerError, "", err.Error())
		return
	}
	service.WriteJSON(w, http.StatusOK, wire.Nonce{Value: value})
}

// contract answers with the document of [MS-DVRD] 3.1.5.1, which names no
// tenant: XML unless JSON is asked for.
func (s *Service) contract(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query().Get("api-version")
	doc, err := wire.NewContract(wire.TenantInfo{TenantID: "common"}, v)
	if err != nil {
		s.refuse(w, r, "drs.contract", "api-version", wire.InvalidRequest, "", err.Error())
		return
	}
	if accept := r.Header.Get("Accept"); strings.Contains(accept, "json") && !strings.Contains(accept, "xml") {
		service.WriteJSON(w, http.StatusOK, doc)
		return
	}
	body, err := doc.XML()
	if err != nil {
		s.refuse(w, r, "drs.contract", "internal", wire.InternalServerError, "", err.Error())
		return
	}
	service.Write(w, http.StatusOK, "application/xml; charset=utf-8", body)
}
