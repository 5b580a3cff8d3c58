package mdm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

// Packages install in the order in which the server named them, also after the
// power went: what is first is not kept by a smaller one that is here sooner.
func TestMSIsInTheirOrder(t *testing.T) {
	for _, cut := range []bool{false, true} {
		r := rig.New(t)
		s := serve(r)
		bodies := map[string][]byte{}
		r.Serve(hosts.ContentCDN, func(w http.ResponseWriter, q *http.Request) {
			name := strings.Trim(q.URL.Path, "/")
			w.Header().Set(hosts.HeaderModelledSize, fmt.Sprint(map[string]int{"Z": 900_000_000}[name]+1000))
			_, _ = w.Write(bodies[name])
		})
		names := []string{"Z", "C", "B", "A"}
		var commands []syncml.Command
		for i, name := range names {
			body, err := installer.Manifest{Product: name, Version: "1.0", MSI: true, Duration: 2 * time.Minute}.Encode()
			r.OK(err)
			bodies[name] = body
			sum := sha256.Sum256(body)
			m := csp.MSI{Scope: csp.Device, ProductCode: fmt.Sprintf("{0A1B2C3D-0000-4000-8000-00000000000%d}", 9-i)}
			job, err := csp.MsiInstallJob{ID: m.ProductCode, Product: csp.Product{
				Version: "1.0", ContentURLs: []string{"https://" + hosts.ContentCDN + "/" + name}, FileHash: hex.EncodeToString(sum[:]),
			}}.Encode()
			r.OK(err)
			commands = append(commands, syncml.NewExec(m.DownloadInstall(), syncml.XML, job))
		}
		boots := 0
		r.Boot(r.PC(1, func(w *device.Windows) error {
			w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
			if boots++; boots == 1 {
				r.Enrol(w, address)
				w.InstallService(mdm.ServiceSchedule)
				s.codes(w, deviceSession, commands...)
				if cut {
					return device.ErrReboot
				}
			} else {
				w.StartService(mdm.ServiceSchedule)
			}
			r.OK(w.Sleep(30*time.Minute, "all install"))
			return device.ErrShutdown
		}))
		var order []string
		for _, e := range r.Memory.Timeline("PC-1") {
			if e.Kind == "product.installed" {
				order = append(order, e.Text("product"))
			}
		}
		r.Expect(order).To(gomega.Equal(names), "cut: %v", cut)
	}
}

// A user's list may name what is the device's: it is ticked off with the
// device's, whichever comes first.
func TestUsersListOfTheDevicesPackage(t *testing.T) {
	for _, listedFirst := range []bool{false, true} {
		r := rig.New(t)
		s := serve(r)
		exec := publish(r, agent, 1000, false)
		r.Once(1, func(w *device.Windows) {
			r.Enrol(w, address)
			w.LogOn(device.Account{SID: sid, Name: "anna"})
			user := mdm.Session{UserSID: sid, Login: mdm.LoginUser, Token: "of.anna"}
			node := add(csp.FirstSyncStatus(csp.User), "")
			list := replace(csp.FirstSyncStatus(csp.User, csp.ExpectedMSIAppPackages), csp.JoinCounted([]csp.Counted{{URI: pkg.Status(), Count: 1}}))
			if listedFirst {
				r.Expect(s.codes(w, user, node, list)).To(gomega.Equal([]int{200, 200}))
			}
			s.codes(w, mdm.Session{Origin: mdm.OriginEnrolled, Login: mdm.LoginOthers}, add(pkg.DownloadInstall(), ""), exec)
			r.OK(w.Sleep(10*time.Minute, "it installs"))
			if !listedFirst {
				s.codes(w, user, node, list)
			}
			key := device.KeyESPInfo + `\` + sid + `\ExpectedMSIAppPackages`
			for _, stamp := range w.Registry().Subkeys(key) {
				for _, uri := range w.Registry().ValueNames(key + `\` + stamp) {
					v, _ := w.Registry().DWORD(key+`\`+stamp, uri)
					r.Expect(v).To(gomega.Equal(uint32(1)), uri)
				}
			}
			r.Expect(w.Registry().Subkeys(key)).To(gomega.HaveLen(1))
		})
	}
}
