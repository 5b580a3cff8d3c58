package diag

import (
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
)

const moment = "2006-01-02 15:04:05.000"

// joined is what the disk says about the registration with Entra ID.
type joined struct {
	joined               bool
	deviceID, thumbprint string
	container, tenant    string
	tenantDomain         string
	from, to             time.Time
	auth                 string // DeviceAuthStatus
	mdmURL               string
	prt                  bool
	prtUpdate, prtExpiry time.Time
	upn                  string
	domain               string // NetBIOS name; "" not a member of one
	dns                  string // its DNS name
}

func joinOf(s Source) joined {
	var j joined
	r := s.Disk.Registry
	cert, ok := s.Disk.Certs.Find(device.StoreMySystem, certDevice)
	if parsed, err := cert.Parse(); ok && err == nil {
		j.container, j.from, j.to = cert.Container, parsed.NotBefore.UTC(), parsed.NotAfter.UTC()
		for _, thumbprint := range r.Subkeys(device.KeyJoinInfo) {
			key := device.KeyJoinInfo + `\` + thumbprint
			j.joined, j.thumbprint = true, strings.ToUpper(thumbprint)
			j.deviceID, j.tenant = r.String(key, "DeviceId"), r.String(key, "TenantId")
		}
	}
	j.tenantDomain = r.String(device.KeyAutopilot, "CloudAssignedTenantDomain")
	if j.auth = r.String(join.KeyDeviceAuth, "Status"); j.auth == "" {
		j.auth = "SUCCESS" // the join itself showed that the object is there
	}
	key := device.KeyIdentityStore + `\PRT`
	if r.String(key, "Token") != "" {
		j.prt, j.prtUpdate, j.prtExpiry, j.upn = true, unix(r, key, "Updated"), unix(r, key, "Expires"), r.String(key, "UserUPN")
	}
	if member, _ := r.DWORD(device.KeyDomain, "Joined"); member != 0 {
		j.domain, j.dns = strings.ToUpper(r.String(device.KeyDomain, "NetBIOS")), r.String(device.KeyDomain, "Domain")
	}
	j.mdmURL = r.String(enrollment(r), "EnrollmentServiceURL")
	return j
}

// unix is a time that is kept as seconds; one that is not there is long ago.
func unix(r *device.Registry, key, name string) time.Time {
	n, _ := strconv.ParseInt(r.String(key, name), 10, 64)
	return time.Unix(n, 0).UTC()
}

// computer is the name that the tool shows: a domain's member has its suffix.
func (j *joined) computer(name string) string {
	if j.dns == "" {
		return name
	}
	return name + "." + j.dns
}

const certDevice = "entra-device" // name of the device's certificate in My\System

// enrollment is the key of the MDM enrolment, "" where there is none.
func enrollment(r *device.Registry) string {
	if id := r.String(device.KeyEnrollments, "Current"); id != "" {
		return device.KeyEnrollments + `\` + id
	}
	return ""
}
