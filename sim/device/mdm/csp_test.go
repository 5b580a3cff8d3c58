package mdm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// value runs a session that asks for one node, and gives what it holds.
func (s *server) value(w *device.Windows, uri string) (string, int) {
	s.T.Helper()
	codes := s.codes(w, deviceSession, syncml.NewGet(uri))
	for _, a := range s.got[1].Answers(1) {
		if len(a.Results) > 0 {
			return a.Results[0].Data, codes[0]
		}
	}
	return "", codes[0]
}

func config(area, name string) string {
	return csp.Policy{Scope: csp.Device, Area: area, Name: name}.Config()
}

// Policies change the values that Windows itself goes by, and their deletion
// takes the change away.
func TestPoliciesChangeWindows(t *testing.T) {
	const options = "LocalPoliciesSecurityOptions"
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		reg := w.Registry()
		dword := func(key, name string) int {
			v, ok := reg.DWORD(key, name)
			if !ok {
				return -1
			}
			return int(v)
		}
		for _, c := range []struct {
			area, name, value string
			got               func() any
			want, gone        any
		}{
			{"devicelock", "devicepasswordhistory", "3", func() any { return dword(device.KeyEAS, "DevicePasswordHistory") }, 3, -1},
			{"DeviceLock", "MinDevicePasswordLength", "8", func() any { return dword(device.KeyEAS, "MinDevicePasswordLength") }, 8, -1},
			{"DeviceLock", "DevicePasswordEnabled", "0", func() any { return dword(device.KeyEAS, "DevicePasswordEnabled") }, 0, -1},
			{"DeviceLock", "DevicePasswordEnabled", "1", func() any { return dword(device.KeyEAS, "DevicePasswordEnabled") }, -1, -1},
			{"ADMX_MSS-legacy", "Pol_MSS_AutoAdminLogon", "<disabled/>", func() any { return reg.String(device.KeyWinlogon, "AutoAdminLogon") }, "0", ""},
			{options, "InteractiveLogon_MessageTextForUsersAttemptingToLogOn", "Be good", func() any { return reg.String(device.KeyPoliciesSystem, "legalnoticetext") }, "Be good", ""},
			{options, "InteractiveLogon_MessageTitleForUsersAttemptingToLogOn", "Notice", func() any { return reg.String(device.KeyPoliciesSystem, "legalnoticecaption") }, "Notice", ""},
			{options, "InteractiveLogon_RequireWindowsHelloForBusinessOrSmartCard", "1", func() any { return dword(device.KeyPoliciesSystem, "scforceoption") }, 1, -1},
			{options, "UserAccountControl_BehaviorOfTheElevationPromptForAdministrators", "2", func() any { return dword(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin") }, 2, -1},
			{options, "UserAccountControl_SwitchToTheSecureDesktopWhenPromptingForElevation", "0", func() any { return dword(device.KeyPoliciesSystem, "PromptOnSecureDesktop") }, 0, -1},
			{"TimeLanguageSettings", "ConfigureTimeZone", "Tokyo Standard Time", func() any { return w.Zone().Name }, "Tokyo Standard Time", "Tokyo Standard Time"},
		} {
			node := config(c.area, c.name)
			r.Expect(s.codes(w, deviceSession, replace(node, c.value))).To(gomega.Equal([]int{200}), node)
			r.Expect(c.got()).To(gomega.Equal(c.want), node)
			r.Expect(s.codes(w, deviceSession, syncml.NewDelete(node))).To(gomega.Equal([]int{200}), node)
			r.Expect(c.got()).To(gomega.Equal(c.gone), node)
		}
		s.codes(w, deviceSession, replace(config("DeviceLock", "MinDevicePasswordLength"), "4"))
		r.Expect(reg.String(device.KeyWinlogon, "AutoAdminLogon")).To(gomega.Equal("0"), "nobody is signed on automatically while there are password rules")
		r.Expect(s.codes(w, deviceSession, replace(config("DeviceLock", "MinDevicePasswordLength"), "long"), replace(config("TimeLanguageSettings", "ConfigureTimeZone"), "Mars"))).
			To(gomega.Equal([]int{400, 400}))
	})
	r.Expect(r.Logged("eventlog", "id=813")).NotTo(gomega.BeEmpty())
	r.Expect(r.Logged("eventlog", "id=814")).NotTo(gomega.BeEmpty())
	r.Expect(r.Logged("eventlog", "id=404")).To(gomega.HaveLen(2))
	r.Expect(r.Logged("eventlog", "id=208")).To(gomega.HaveLen(24))
}

// A URI that needs a restart is logged at every sync that touches it; only one
// that is applied while the page is in device setup makes Windows wait for a
// restart.
func TestRebootURIs(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	uri := "./Device/Vendor/MSFT/Policy/Config/Update/ManagePreviewBuilds"
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		s.codes(w, deviceSession, replace(uri, "1"), replace(policy("Other"), "1"))
		r.Expect(w.RestartNeeded()).To(gomega.BeEmpty(), "the page is not in device setup")
		w.Registry().SetString(device.KeySettings, "DeviceSetupCategory.Status", `{"categoryState":"inProgress"}`)
		s.codes(w, deviceSession, replace(uri, "1"))
		r.Expect(w.RestartNeeded()).To(gomega.BeEmpty(), "nothing has changed")
		s.codes(w, deviceSession, syncml.NewAtomic(replace(uri, "2"), syncml.NewGet(uri)))
		r.Expect(w.RestartNeeded()).To(gomega.BeEmpty(), "it was taken back")
		s.codes(w, deviceSession, syncml.NewAtomic(replace(uri, "2")), syncml.NewGet(uri))
		r.Expect(w.RestartNeeded()).To(gomega.Equal([]string{uri}))
		r.Expect(w.Registry().ValueNames(device.KeyRebootURIs)).To(gomega.Equal([]string{uri}))
	})
	r.Expect(r.Logged("eventlog", "id=2800")).To(gomega.HaveLen(3))
	r.Expect(r.Logged("eventlog", "The following URI has triggered a reboot: ("+uri+")")).To(gomega.HaveLen(3))
}

// AppLocker and App Control do not wait for the end of device setup: Windows
// restarts when the session is over. The same policy once more does not.
func TestAppLockerRestartsAtOnce(t *testing.T) {
	for _, uri := range []string{"./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/Corp/EXE/Policy", "./Vendor/MSFT/ApplicationControl/Policies/%7B1%7D/Policy"} {
		r := rig.New(t)
		s := serve(r)
		boots := 0
		pc := r.PC(1, func(w *device.Windows) error {
			if boots++; boots == 1 {
				r.Enrol(w, address)
				s.script = [][]syncml.Command{{replace(uri, "<RuleCollection/>"), replace(policy("A"), "1")}}
				return mdm.Sync(w, deviceSession)
			}
			r.Expect(s.codes(w, deviceSession, replace(uri, "<RuleCollection/>"), syncml.NewGet(uri), syncml.NewDelete("./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/None"))).
				To(gomega.Equal([]int{200, 200, 404}))
			return device.ErrShutdown
		})
		r.Boot(pc)
		r.Expect(boots).To(gomega.Equal(2), uri)
		r.Expect(r.Logged("device.restart", "")).To(gomega.HaveLen(1))
		r.Expect(r.Logged("eventlog", "id=2800")).To(gomega.HaveLen(2))
	}
}

// Root certificates, Wi-Fi and VPN profiles.
func TestCertificatesAndProfiles(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		root := csp.NewRootCertificate(csp.Device, "Root", r.MDM.Cert.Raw)
		other := csp.NewRootCertificate(csp.Device, "CA", []byte("no certificate"))
		r.Expect(s.codes(w, deviceSession, replace(root.Node(csp.RootEncoded), root.Nodes(r.MDM.Cert.Raw)[0].Value),
			replace(other.Node(csp.RootEncoded), other.Nodes([]byte("no certificate"))[0].Value), replace(other.Node(csp.RootEncoded), "AAAA"), syncml.NewGet(other.Node(csp.RootEncoded)))).
			To(gomega.Equal([]int{200, 500, 500, 404}))
		held, there := w.Disk.Certs.Find(device.StoreRoot, root.Hash)
		r.Expect(there).To(gomega.BeTrue())
		r.Expect(held.DER).To(gomega.Equal(r.MDM.Cert.Raw))
		to, _ := s.value(w, root.Node(csp.RootIssuedTo))
		r.Expect(to).To(gomega.Equal("MDM Device CA"))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(root.Node()), syncml.NewDelete(root.Node()))).To(gomega.Equal([]int{200, 404}))

		corp, tunnel := csp.WiFi{Scope: csp.Device, SSID: "Corp"}, csp.VPN{Scope: csp.Device, Name: "Tunnel"}
		wlan, err := csp.WLANProfile{Name: "Corp", SSID: "Corp", Connection: "ESS", Mode: "auto", Auth: "WPA2", Encryption: "AES", OneX: true}.Encode()
		r.OK(err)
		profile, err := csp.VPNProfile{Native: csp.VPNNative{Servers: "vpn.contoso.test", Protocol: "IKEv2"}}.Encode()
		r.OK(err)
		expected := csp.FirstSyncStatus(csp.Device, csp.ExpectedNetworkProfiles)
		r.Expect(s.codes(w, deviceSession, replace(expected, csp.JoinList([]string{corp.Node(), tunnel.Node(csp.VPNXML)})),
			replace(corp.Node(csp.WiFiXML), wlan), replace(tunnel.Node(csp.VPNXML), profile), replace(corp.Node(csp.WiFiXML), "<no"), replace(tunnel.Node("Other"), "1"))).
			To(gomega.Equal([]int{200, 200, 200, 500, 405}))
		r.Expect(w.Registry().HasValue(`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles`, "Corp")).To(gomega.BeTrue(), "Windows joins it by itself")
		r.Expect(s.listed(w, csp.ExpectedNetworkProfiles)).To(gomega.Equal([]uint32{1, uint32(hresult.InvalidData)}), "the last try at the Wi-Fi profile failed")
		got, _ := s.value(w, tunnel.Node(csp.VPNXML))
		r.Expect(got).To(gomega.Equal(profile))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(corp.Node()), syncml.NewDelete(tunnel.Node()), syncml.NewDelete(tunnel.Node()))).To(gomega.Equal([]int{200, 200, 404}))
		r.Expect(w.Registry().HasValue(`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles`, "Corp")).To(gomega.BeFalse())
	})
}

// listed are the results on one of the status page's lists of the device, by the
// order of their nodes.
func (s *server) listed(w *device.Windows, list string) (results []uint32) {
	s.T.Helper()
	key := device.KeyESPInfo + `\` + list
	key += `\` + w.Registry().Subkeys(key)[0]
	for _, name := range w.Registry().ValueNames(key) {
		v, _ := w.Registry().DWORD(key, name)
		results = append(results, v)
	}
	return results
}

func TestBitLocker(t *testing.T) {
	const method = `<enabled/><data id="EncryptionMethodWithXtsOsDropDown_Name" value="7"/><data id="EncryptionMethodWithXtsFdvDropDown_Name" value="7"/>`
	for name, first := range map[string]bool{"the policy is there first": true, "the drive is encrypted first": false} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serve(r)
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				if !first {
					w.EncryptDevice()
				}
				r.Expect(s.codes(w, deviceSession, replace(csp.BitLockerMethod, method), replace(csp.BitLockerMethod, "<enabled/>"), replace(csp.BitLockerRequire, "1"), replace(csp.BitLockerStatus, "0"))).
					To(gomega.Equal([]int{200, 400, 200, 405}))
				r.Expect(w.DriveEncrypted()).To(gomega.BeTrue())
				status, _ := s.value(w, csp.BitLockerStatus)
				if first {
					r.Expect(status).To(gomega.Equal("0"))
				} else {
					r.Expect(status).To(gomega.Equal("2"), "encrypted with another method than the policy's")
				}
				r.Expect(s.codes(w, deviceSession, syncml.NewExec(csp.BitLockerRotate, syncml.Chr, "r1"), replace(csp.BitLockerRotation, "1"), syncml.NewExec(csp.BitLockerRotate, syncml.Chr, "r1"),
					syncml.NewDelete(csp.BitLockerMethod), syncml.NewDelete(csp.BitLockerMethod))).To(gomega.Equal([]int{500, 200, 202, 200, 404}))
			})
		})
	}
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		w.Protection.SecureBootOff = true
		s.codes(w, deviceSession, replace(csp.BitLockerRequire, "1"))
		status, _ := s.value(w, csp.BitLockerStatus)
		r.Expect(status).To(gomega.Equal("4"))
		encrypted, _ := s.value(w, csp.StatusEncryption)
		boot, _ := s.value(w, csp.StatusSecureBoot)
		r.Expect([]string{encrypted, boot}).To(gomega.Equal([]string{"0", "2"}))
	})
}

// LAPS acts on its policies as soon as a person has joined the PC, before anybody
// is logged on.
func TestLAPSOfAJoinedPC(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		w.Registry().SetString(device.KeyJoinInfo+`\AA`, "UserEmail", "autopilot@contoso.com")
		s.codes(w, deviceSession, replace(csp.LAPSBackup, "1"))
		r.Expect(r.Logged("laps.rotated", "")).To(gomega.BeEmpty())
		w.Registry().SetString(device.KeyJoinInfo+`\AA`, "UserEmail", "anna@contoso.com")
		s.codes(w, deviceSession, replace(csp.LAPSAge, "10"))
		r.Expect(r.Logged("laps.rotated", "asked=false")).To(gomega.HaveLen(1))
	})
}

// LAPS takes its policies in the technician flow, and acts on them once somebody
// has signed in.
func TestLAPS(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		w.Registry().SetString(device.KeyJoinInfo+`\AA`, "UserEmail", "")
		r.Expect(s.codes(w, deviceSession, replace(csp.LAPSBackup, "1"), replace(csp.LAPSAge, "many"), syncml.NewExec(csp.LAPSReset, "", ""))).To(gomega.Equal([]int{200, 400, 500}))
		r.Expect(r.Logged("laps.rotated", "")).To(gomega.BeEmpty())
		w.LogOn(device.Account{SID: sid, Name: "anna"})
		s.codes(w, deviceSession, replace(csp.LAPSAge, "10"))
		r.Expect(r.Logged("laps.rotated", "asked=false")).To(gomega.HaveLen(1))
		s.codes(w, deviceSession, replace(csp.LAPSAge, "7"))
		r.Expect(r.Logged("laps.rotated", "")).To(gomega.HaveLen(1), "it is not old yet")
		r.Expect(s.codes(w, deviceSession, syncml.NewExec(csp.LAPSReset, "", ""))).To(gomega.Equal([]int{202}))
		result, _ := s.value(w, csp.LAPSResetStatus)
		r.Expect(result).To(gomega.Equal("0"))
		r.OK(w.Sleep(8*24*time.Hour, "it grows old"))
		s.codes(w, deviceSession, syncml.NewGet(csp.LAPSResetStatus))
		r.Expect(r.Logged("laps.rotated", "")).To(gomega.HaveLen(3))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(csp.LAPSPolicies), syncml.NewDelete(csp.LAPSPolicies))).To(gomega.Equal([]int{200, 404}))
	})
}

// What gives the PC back to setup is written down, and Windows restarts when the
// session is over.
func TestResets(t *testing.T) {
	for uri, kind := range map[string]string{
		csp.Wipe: "wipe", csp.WipeKeepingUserData: "wipeKeepUserData", csp.AutomaticRedeployment: "autopilotReset", csp.Clean: "clean",
		csp.DMClient(csp.Device, csp.Unenroll): "retire",
	} {
		r := rig.New(t)
		s := serve(r)
		boots := 0
		pc := r.PC(1, func(w *device.Windows) error {
			if boots++; boots == 1 {
				r.Enrol(w, address)
				s.script = [][]syncml.Command{{syncml.NewAtomic(syncml.NewExec(uri, "", ""), syncml.NewGet(uri)), syncml.NewExec(csp.RebootOnce, "", "")}}
				r.OK(mdm.Sync(w, deviceSession))
				r.Expect(w.Registry().HasValue(device.KeyReset, "Pending")).To(gomega.BeFalse(), "it was taken back")
				r.Expect(mdm.Enrolled(w)).To(gomega.BeTrue())
				s.script = [][]syncml.Command{{syncml.NewExec(uri, "", "")}}
				return mdm.Sync(w, deviceSession)
			}
			r.Expect(w.Registry().String(device.KeyReset, "Pending")).To(gomega.Equal(kind))
			r.Expect(mdm.Enrolled(w)).To(gomega.Equal(kind != "retire"))
			if kind == "autopilotReset" {
				status, _ := s.value(w, csp.RedeploymentStatus)
				r.Expect(status).To(gomega.Equal("10"))
			}
			return device.ErrShutdown
		})
		r.Boot(pc)
		r.Expect(boots).To(gomega.Equal(2), uri)
		r.Expect(r.Logged("device.restart", "")).To(gomega.HaveLen(1), uri)
	}
}

// An ordered restart comes after five minutes, a scheduled one at its time, if
// the PC is on then.
func TestReboots(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	var at []time.Duration
	pc := r.PC(1, func(w *device.Windows) error {
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		at = append(at, w.Clock.Now().Sub(rig.Start).Truncate(time.Minute))
		w.StartServices()
		switch w.Boot {
		case 1:
			r.Enrol(w, address)
			w.InstallService(mdm.ServiceSchedule)
			r.Expect(s.codes(w, deviceSession, syncml.NewExec(csp.RebootNow, "", ""), replace(csp.RebootOnce, "tomorrow"), replace(csp.RebootOnce, rig.Start.Add(2*time.Hour).Format(time.RFC3339)),
				syncml.NewDelete(csp.RebootDaily))).To(gomega.Equal([]int{200, 400, 200, 404}))
			s.script = nil
		case 3:
			s.codes(w, deviceSession, replace(csp.RebootDaily, rig.Start.Add(4*time.Hour).Format(time.RFC3339)))
			s.script = nil
		case 5:
			return device.ErrShutdown
		}
		return w.Sleep(30*time.Hour, "somebody works")
	})
	r.Boot(pc)
	for i, want := range []time.Duration{0, 5 * time.Minute, 2 * time.Hour, 4 * time.Hour, 28 * time.Hour} {
		r.Expect(at[i]).To(gomega.BeNumerically("~", want, 4*time.Minute))
	}
}

// The server is told of the nodes that hold something else than it believes.
func TestNodeCache(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.Expect(s.codes(w, deviceSession, replace(csp.NodeCacheVersion, "7"), add(csp.Cached("1"), ""), add(csp.Cached("1"), ""),
			replace(csp.Cached("1", csp.CacheURI), csp.DevDetailSMBIOSSerial), replace(csp.Cached("1", csp.CacheAutoExpected), "1"),
			replace(csp.Cached("2", csp.CacheURI), policy("A")), replace(csp.Cached("2", csp.CacheExpected), "1"))).To(gomega.Equal([]int{200, 200, 418, 200, 200, 200, 200}))
		changed, _ := s.value(w, csp.NodeCacheChangedNodes)
		r.Expect(changed).To(gomega.Equal("2"))
		s.codes(w, deviceSession, replace(policy("A"), "1"))
		changed, _ = s.value(w, csp.NodeCacheChangedNodes)
		r.Expect(changed).To(gomega.BeEmpty())
		s.codes(w, deviceSession, replace(policy("A"), "<2>"))
		data, _ := s.value(w, csp.Join(strings.TrimSuffix(csp.NodeCacheVersion, "/CacheVersion"), csp.CacheChangedData))
		r.Expect(data).To(gomega.ContainSubstring("&lt;2&gt;"))
		version, _ := s.value(w, csp.NodeCacheVersion)
		r.Expect(version).To(gomega.Equal("7"))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(csp.Cached("1")), syncml.NewDelete(csp.Cached("1")))).To(gomega.Equal([]int{200, 404}))
	})
}

func TestDeviceStatusAndUpdate(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		for uri, want := range map[string]string{
			csp.StatusTPM: "2.0", csp.StatusOSEdition: "48", csp.StatusAntivirus: "0", csp.StatusSecureBoot: "1", csp.StatusUAC: "0", csp.StatusVBS: "5", csp.StatusBattery: "255",
		} {
			got, code := s.value(w, uri)
			r.Expect([]any{got, code}).To(gomega.Equal([]any{want, 200}), uri)
		}
		hash, code := s.value(w, csp.DevDetailHardwareData)
		r.Expect(code).To(gomega.Equal(200))
		r.Expect(len(hash)).To(gomega.BeNumerically(">", 1000))
		r.Expect(s.codes(w, deviceSession, syncml.NewGet("./Vendor/MSFT/DeviceStatus/Other"), replace(csp.StatusTPM, "1"),
			add(csp.Join(csp.UpdateApproved, "u1"), ""), syncml.NewGet(csp.Join(csp.UpdateApproved, "u1")), syncml.NewGet(csp.UpdateInstalled),
			replace(csp.UpdateDeferUpgrade, "true"), syncml.NewGet(csp.UpdateDeferUpgrade), syncml.NewGet(csp.UpdateLastScan), syncml.NewDelete(csp.Join(csp.UpdateApproved, "u1")))).
			To(gomega.Equal([]int{404, 405, 200, 200, 200, 200, 200, 404, 200}))
	})
}
