package drs

import (
	"net/http"

	"windtunnel.test/fakeentra/service"
	wire "windtunnel.test/sim/wire/drs"
)

// discover answers with the tenant's document ([MS-DVRD] 3.1.5).
func (s *Service) discover(w http.ResponseWriter, r *http.Request, name string) {
	t, err := s.dir.Tenant(name)
	if err != nil {
		s.refuse(w, r, "drs.discover", "tenant", wire.InvalidRequest, wire.SubTenantNotFound, err.Error())
		return
	}
	service.WriteJSON(w, http.StatusOK, wire.NewDiscovery(wire.TenantInfo{
		TenantID: t.ID, TenantName: t.DefaultDomain(), DisplayName: t.DisplayName,
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
