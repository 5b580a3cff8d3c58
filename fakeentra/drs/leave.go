package drs

import (
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	wire "windtunnel.test/sim/wire/drs"
)

// leave undoes a join: only the device itself may, with its certificate in TLS
// ([MS-DVRJ] 3.2.5).
func (s *Service) leave(w http.ResponseWriter, r *http.Request, id string) {
	refuse := func(check string, err error) {
		s.refuse(w, r, "drs.leave", check, wire.AuthenticationError, "InvalidDeviceCertificate", err.Error())
	}
	peers := vnet.PeerCertificates(r)
	if len(peers) == 0 {
		refuse("client certificate", errors.New("there is no client certificate"))
		return
	}
	dev, err := s.Device(peers[0], s.Now())
	if errors.Is(err, tenant.ErrNoDevice) {
		s.refuse(w, r, "drs.leave", "client certificate", wire.AuthenticationError, wire.SubDeviceNotFound, err.Error())
		return
	}
	if err != nil {
		refuse("client certificate", err)
		return
	}
	if !strings.EqualFold(dev.DeviceID, id) {
		refuse("device", errors.New("the certificate is another device's"))
		return
	}
	if err := s.dir.Leave(dev.TenantID, dev.DeviceID); err != nil {
		s.refuse(w, r, "drs.leave", "directory", wire.DirectoryError, "", err.Error())
		return
	}
	s.Record(r.Context(), "entra.device.left", journal.F("deviceId", dev.DeviceID))
	w.WriteHeader(http.StatusOK)
}
