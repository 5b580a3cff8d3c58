package attestation_test

import (
	"context"
	"crypto"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

const gateway = "https://" + hosts.OMADM + enroll.OMADMPath

// open sends package 1 of a session in a device's name and gives the status.
func open(win *device.Windows, client *http.Client, name string) (int, error) {
	m := syncml.Initiation{SessionID: "1", Server: gateway, Device: name, Login: syncml.LoginStatus("none"),
		DevInfo: syncml.DevInfo{DevID: name, Man: "Rogue", Mod: "Rogue", DmV: "1.3", Lang: "en-US"}}.Message()
	resp, err := win.Do(device.Request{Op: "attack", Client: client, Method: http.MethodPost, URL: gateway, Header: http.Header{"Content-Type": {syncml.ContentType}}, Body: m.Encode()})
	if err != nil {
		return 0, err
	}
	return resp.Status, nil
}

var _ = Describe("a management session", func() {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		Context("in the "+home.String()+" home", func() {
			var (
				w             *spec.World
				rogue, victim *device.PC
				id, before    string
			)
			BeforeEach(func() {
				w = spec.NewWorld(spec.Home(home))
				rogue, victim = w.NewPC(), w.NewPC()
				w.Register(rogue, victim)
				w.Provision(victim)
				w.Provision(rogue)
				w.Wait(3 * time.Hour) // until Intune has judged both
				id = parse(kept(victim, "mdm").DER).Subject.CommonName
				before = state(w)
			})
			with := func(name string, status int, check string) {
				GinkgoHelper()
				w.Boot(rogue, func(win *device.Windows) {
					client, err := win.HTTPWith(kept(rogue, name))
					Expect(err).NotTo(HaveOccurred())
					Expect(open(win, client, id)).To(Equal(status))
				})
				expectRefused(w, rogue, refused{"fakeintune/mdm", "mdm.session", check, http.StatusText(status)})
				Expect(state(w)).To(Equal(before))
			}

			It("is not opened in another device's name", func() { with("mdm", http.StatusForbidden, "SyncHdr source") })

			It("is not opened with a certificate that was given for something else", func() {
				w.Boot(rogue, func(win *device.Windows) { Expect(join.JoinAsDevice(win, tenantOf(w))).To(Succeed()) })
				before = state(w)
				with("entra-device", http.StatusForbidden, "client certificate issuer")
			})

			It("is not opened without a certificate", func() {
				w.Boot(rogue, func(win *device.Windows) { Expect(open(win, nil, id)).To(Equal(http.StatusUnauthorized)) })
				expectRefused(w, rogue, refused{"fakeintune/mdm", "mdm.session", "client certificate missing", http.StatusText(http.StatusUnauthorized)})
				Expect(state(w)).To(Equal(before))
			})

			It("is not opened with another device's certificate, whose key is in that device's TPM", func() {
				w.Boot(rogue, func(win *device.Windows) {
					key, err := win.Key(win.Ctx, kept(rogue, "mdm").Container)
					Expect(err).NotTo(HaveOccurred())
					client := win.NIC.Client(vnet.ClientOptions{Certificate: &vnet.ClientCertificate{
						Cert: parse(kept(victim, "mdm").DER), SignerFor: func(ctx context.Context) crypto.Signer { return key.In(ctx) }, Signer: key.In(win.Ctx),
					}})
					_, err = open(win, client, id)
					code, _ := hresult.CodeOf(err)
					Expect(code).To(Equal(hresult.InternetSecureFailure), "%v", err)
				})
				expectRefused(w, rogue, refused{hosts.OMADM, "mdm.session", "TLS client certificate", hresult.InternetSecureFailure.Hex()})
				Expect(state(w)).To(Equal(before))
			})

			It("is not opened with another device's wrapped key either: no other TPM loads it", func() {
				w.Boot(rogue, func(win *device.Windows) {
					_, err := win.Chip.LoadKey(win.Ctx, victim.Disk.Keys.Get(kept(victim, "mdm").Container))
					Expect(err).To(MatchError(ContainSubstring("INTEGRITY")))
				})
			})

			It("is not opened any more once the device's record was deleted", func() {
				own := parse(kept(rogue, "mdm").DER).Subject.CommonName
				w.Graph(http.MethodDelete, "/v1.0/deviceManagement/managedDevices/"+own, nil, nil)
				before = state(w)
				w.Boot(rogue, func(win *device.Windows) {
					client, err := win.HTTPWith(kept(rogue, "mdm"))
					Expect(err).NotTo(HaveOccurred())
					Expect(open(win, client, own)).To(Equal(http.StatusForbidden))
				})
				expectRefused(w, rogue, refused{"fakeintune/mdm", "mdm.session", "client certificate device", http.StatusText(http.StatusForbidden)})
				Expect(state(w)).To(Equal(before))
			})
		})
	}
})
