package directory

import (
	"net/http"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

func (s *Service) allDevices(c *call) []graph.Device {
	var all []graph.Device
	for _, d := range s.dir.Devices(c.tenant) {
		all = append(all, d.Graph())
	}
	return all
}

func (s *Service) devices(c *call) error      { return list(s, c, "devices", s.allDevices(c)) }
func (s *Service) countDevices(c *call) error { return count(s, c, s.allDevices(c)) }

func (s *Service) device(c *call) error {
	d, err := s.dir.Device(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return one(s, c, "devices", d.Graph())
}

func (s *Service) deviceMemberOf(c *call) error   { return s.ofDevice(c, false) }
func (s *Service) deviceTransitive(c *call) error { return s.ofDevice(c, true) }

func (s *Service) ofDevice(c *call, transitive bool) error {
	d, err := s.dir.Device(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.memberOf(c, d.ObjectID, transitive)
}

// deviceOwners is whoever joined the device; registered users are the same.
func (s *Service) deviceOwners(c *call) error {
	d, err := s.dir.Device(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return list(s, c, "directoryObjects", s.objects(c, []string{d.Owner}, ""))
}

// update is what may be changed of a device: by an administrator its name,
// whether it is enabled and its system's version, by a management service the
// rest (learn.microsoft.com/graph/api/device-update).
type update struct {
	AccountEnabled         *bool   `json:"accountEnabled"`
	DisplayName            *string `json:"displayName"`
	IsManaged              *bool   `json:"isManaged"`
	IsCompliant            *bool   `json:"isCompliant"`
	OperatingSystemVersion *string `json:"operatingSystemVersion"`
	MDMAppID               *string `json:"mdmAppId"`
}

func (s *Service) updateDevice(c *call) error {
	var u update
	if err := c.decode(&u); err != nil {
		return err
	}
	// Management services come by the legacy address: our model.
	if u.managed() && !(legacy(c.r) && len(c.claims.Roles) > 0) {
		return &denied{"Insufficient privileges to complete the operation: only a management service tells whether a device is managed and compliant."}
	}
	var before tenant.Verdict
	d, err := s.dir.Update(c.tenant, c.arg("id"), func(d *tenant.Device) error {
		before = d.Compliant
		u.apply(d)
		return nil
	})
	if err != nil {
		return err
	}
	if d.Compliant != before {
		s.Record(c.r.Context(), "entra.device.compliance", journal.F("deviceId", d.DeviceID), journal.F("compliant", d.Compliant == tenant.Yes))
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (u update) managed() bool {
	return u.IsManaged != nil || u.IsCompliant != nil || u.MDMAppID != nil
}

func (u update) apply(d *tenant.Device) {
	if u.AccountEnabled != nil {
		d.Enabled = *u.AccountEnabled
	}
	if u.DisplayName != nil {
		d.DisplayName = *u.DisplayName
	}
	if u.IsManaged != nil {
		d.Managed = tenant.VerdictOf(u.IsManaged)
	}
	if u.IsCompliant != nil {
		d.Compliant = tenant.VerdictOf(u.IsCompliant)
	}
	if u.OperatingSystemVersion != nil {
		d.OSVersion = *u.OperatingSystemVersion
	}
	if u.MDMAppID != nil {
		d.ManagementApp = *u.MDMAppID
	}
}

func (s *Service) deleteDevice(c *call) error {
	d, err := s.dir.Device(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	if err := s.dir.Delete(c.tenant, d.ObjectID); err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.device.deleted", journal.F("deviceId", d.DeviceID), journal.F("autopilot", d.ZTDID() != ""))
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
