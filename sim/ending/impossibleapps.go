package ending

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
)

// msiPackages: a package that the MDM client calls enforced is there, and no job
// is left for it.
func msiPackages(s *state) (found []string) {
	for _, sid := range s.r.Subkeys(device.KeyMSI) {
		for _, code := range s.r.Subkeys(device.KeyMSI + `\` + sid + `\MSI`) {
			key := device.KeyMSI + `\` + sid + `\MSI\` + code
			if s.dword(key, "Status") != uint32(csp.MSIEnforced) {
				continue
			}
			name := s.r.String(key, "Name")
			if name == "" || !s.r.Has(device.KeyUninstall+`\`+name) {
				found = append(found, fmt.Sprintf("MSI %s has status 70 and is not installed", code))
			}
		}
	}
	return found
}

// trackedApps: what the status page counts as completed is on the PC.
func trackedApps(s *state) (found []string) {
	for _, scope := range s.r.Subkeys(device.KeyTracking) {
		base := device.KeyTracking + `\` + scope + `\Setup\Apps\Tracking\Sidecar`
		for _, app := range s.r.Subkeys(base) {
			if s.dword(base+`\`+app, "InstallationState") != uint32(csp.AppCompleted) {
				continue
			}
			id, _, _ := strings.Cut(strings.TrimPrefix(app, "Win32App_"), "_")
			if name := s.r.String(device.KeyIME+`\Win32Apps\`+id, "Name"); name == "" || !s.installed(name) {
				found = append(found, fmt.Sprintf("tracked app %s (%s) is completed and not installed", app, name))
			}
		}
	}
	return found
}

// installed tells whether a product of that name is on the PC. Worlds that use
// Impossible call an app's product by the app's name, and WinGet calls it by its
// package.
func (s *state) installed(name string) bool {
	if p := s.packages[name]; p != "" && s.r.Has(device.KeyUninstall+`\`+p) {
		return true
	}
	return s.r.Has(device.KeyUninstall + `\` + name)
}

// products: an installer's work is done wholly or not at all.
func products(s *state) (found []string) {
	for _, p := range s.r.Subkeys(device.KeyUninstall) {
		for _, f := range s.pc.Disk.Files.List(`C:\Program Files\` + p + `\`) {
			if b, _ := s.pc.Disk.Files.Read(f); len(b) == 0 {
				found = append(found, fmt.Sprintf("product %s with an empty file %s", p, f))
			}
		}
	}
	return found
}

// lists are what the page expects, with what becomes of an entry.
var lists = []string{"ExpectedPolicies", "ExpectedMSIAppPackages", "ExpectedModernAppPackages", "ExpectedSCEPCerts", "ExpectedPFXCerts", "ExpectedNetworkProfiles"}

// expected calls f for every entry of the page's lists of a scope, "" for the
// device's.
func (s *state) expected(sid string, names []string, f func(list, uri string, status uint32)) {
	base := device.KeyESPInfo
	if sid != "" {
		base += `\` + sid
	}
	for _, list := range names {
		for _, stamp := range s.r.Subkeys(base + `\` + list) {
			key := base + `\` + list + `\` + stamp
			for _, uri := range s.r.ValueNames(key) {
				f(list, uri, s.dword(key, uri))
			}
		}
	}
}

// firstSync: the first sync is not done while something that it waits for is
// pending.
func firstSync(s *state) (found []string) {
	if !s.enrolled() {
		return nil
	}
	for _, sid := range append([]string{""}, s.r.Subkeys(s.enrollment+`\FirstSync`)...) {
		key, scope := s.enrollment+`\FirstSync`, "Device"
		if sid != "" {
			key, scope = key+`\`+sid, sid
		}
		if s.dword(key, "IsSyncDone") != 1 {
			continue
		}
		if s.dword(key, "ServerHasFinishedProvisioning") != 1 {
			found = append(found, "the first sync of "+scope+" is done, and the server has not finished")
		}
		s.expected(sid, lists, func(list, uri string, status uint32) {
			if status == 0 {
				found = append(found, fmt.Sprintf("the first sync of %s is done, and %s of %s is pending", scope, uri, list))
			}
		})
		base := device.KeyTracking + `\` + scope + `\Setup\Apps\Tracking\Sidecar`
		for _, app := range s.r.Subkeys(base) {
			if v := s.dword(base+`\`+app, "InstallationState"); v != uint32(csp.AppCompleted) && v != uint32(csp.AppError) {
				found = append(found, fmt.Sprintf("the first sync of %s is done, and %s is in state %d", scope, app, v))
			}
		}
	}
	return found
}

// certificatesThere: a certificate profile that was processed has brought a
// certificate.
func certificatesThere(s *state) (found []string) {
	for _, sid := range s.scopes() {
		store := device.StoreMySystem
		if sid != "" {
			store = device.StoreMyUser
		}
		s.expected(sid, []string{"ExpectedPFXCerts", "ExpectedSCEPCerts"}, func(list, uri string, status uint32) {
			id := uri[strings.LastIndexByte(uri, '/')+1:]
			if _, ok := s.pc.Disk.Certs.Find(store, id); status == 1 && !ok && !s.takenBack(id) {
				found = append(found, fmt.Sprintf("%s of %s is processed, and its certificate is not there", uri, list))
			}
		})
	}
	return found
}

// takenBack tells whether a certificate was removed again, since its profile is
// no longer meant for the PC.
func (s *state) takenBack(name string) bool {
	for h := range s.pc.History {
		if h.Kind == "certificate.removed" && h.Text("name") == name {
			return true
		}
	}
	return false
}

// policiesThere: a policy that was processed is in force.
func policiesThere(s *state) (found []string) {
	for _, sid := range s.scopes() {
		scope := "device"
		if sid != "" {
			scope = sid
		}
		s.expected(sid, []string{"ExpectedPolicies"}, func(_, uri string, status uint32) {
			p, config, ok := csp.ParsePolicy(uri)
			if ok && config && status == 1 && !s.r.HasValue(device.KeyPolicyManager+`\`+scope+`\`+p.Area, p.Name) {
				found = append(found, fmt.Sprintf("%s is processed and not in force", uri))
			}
		})
	}
	return found
}

// scopes are the device's, "", and those of users whose account was set up.
func (s *state) scopes() []string {
	if sid := s.r.String(device.KeyOOBE, "UserSID"); sid != "" {
		return []string{"", sid}
	}
	return []string{""}
}
