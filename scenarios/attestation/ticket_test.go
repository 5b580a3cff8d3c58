package attestation_test

import (
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/ztd"
)

// ticketOf is the device ticket that a PC gets once its TPM was attested.
func ticketOf(w *spec.World, pc *device.PC) (ticket string) {
	GinkgoHelper()
	w.Boot(pc, func(win *device.Windows) {
		Expect(join.Attest(win)).To(Succeed())
		var err error
		ticket, err = join.Ticket(win)
		Expect(err).NotTo(HaveOccurred())
	})
	return ticket
}

var _ = Describe("a device ticket", func() {
	var (
		w             *spec.World
		rogue, victim *device.PC
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		rogue, victim = w.NewPC(), w.NewPC()
		w.Register(rogue, victim)
	})

	It("joins no other device than its own", func() {
		stolen := ticketOf(w, victim)
		mine := ticketOf(w, rogue)
		before := state(w)
		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.Attributes.DeviceTicket = []byte(stolen)
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubMsaTicketTPM, hresult.JoinAuthorization))
		})
		expectRefused(w, rogue, refused{"drs", "drs.join", "ticket EK", hresult.JoinAuthorization.Hex()})
		Expect(state(w)).To(Equal(before))

		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.Attributes.DeviceTicket = []byte(mine)
			Expect(j.send()).To(BeNil(), "with the PC's own ticket the same request is good")
		})
	})

	It("joins no device when it was given without proof of the TPM", func() {
		var unproved string
		w.Boot(rogue, func(win *device.Windows) {
			var err error
			unproved, err = join.Ticket(win)
			Expect(err).NotTo(HaveOccurred())
		})
		ticketOf(w, rogue)
		before := state(w)
		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.Attributes.DeviceTicket = []byte(unproved)
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubMsaTicketTPM, hresult.JoinAuthorization))
		})
		expectRefused(w, rogue, refused{"drs", "drs.join", "ticket TPM", hresult.JoinAuthorization.Hex()})
		Expect(state(w)).To(Equal(before))
	})

	It("is worth nothing once it has expired", func() {
		old := ticketOf(w, rogue)
		w.Wait(w.Timing.MSA.DeviceTicketLife + time.Minute)
		before := state(w)
		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.Attributes.DeviceTicket = []byte(old)
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubMsaTicket, hresult.JoinAuthorization))
			Expect(askProfile(win, old).Status).To(Equal(http.StatusUnauthorized))
		})
		expectRefused(w, rogue,
			refused{"drs", "drs.join", "ticket", hresult.JoinAuthorization.Hex()},
			refused{"fakeintune/ztd", "ztd.profile", "device ticket", "401"})
		Expect(state(w)).To(Equal(before))
	})

	It("is worth nothing when a single character of it was changed", func() {
		ticket := []byte(ticketOf(w, rogue))
		before := state(w)
		middle := len(ticket) / 2
		ticket[middle] = map[bool]byte{true: 'B', false: 'A'}[ticket[middle] == 'A']
		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.Attributes.DeviceTicket = ticket
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubMsaTicket, hresult.JoinAuthorization))
			Expect(askProfile(win, string(ticket)).Status).To(Equal(http.StatusUnauthorized))
		})
		Expect(w.Texts(rogue, "refused", "check")).To(Equal([]string{"ticket", "device ticket"}))
		Expect(state(w)).To(Equal(before))
	})

	It("gives the profile of the hardware that it was given to, and of no other", func() {
		stolen := ticketOf(w, victim)
		w.Boot(rogue, func(win *device.Windows) {
			resp := askProfile(win, stolen)
			Expect(resp.Status).To(Equal(http.StatusOK), "refusals of this service are answers")
			var n ztd.Negative
			Expect(json.Unmarshal(resp.Body, &n)).To(Succeed())
			Expect(n).To(Equal(ztd.HardwareMismatch), "the serial number of the request is not the ticket's")
		})
		Expect(w.Texts(rogue, "refused", "check")).To(Equal([]string{"serial number"}))
	})
})

// askProfile asks the deployment service for this hardware's profile.
func askProfile(win *device.Windows, ticket string) *device.Response {
	GinkgoHelper()
	body, err := json.Marshal(ztd.Request{Serial: win.Hardware.Serial, OSVersion: "10.0." + win.Installation.Build})
	Expect(err).NotTo(HaveOccurred())
	return send(win, http.MethodPost, "https://"+hosts.Autopilot+ztd.Path, http.Header{"Content-Type": {"application/json"}, http.CanonicalHeaderKey(ztd.TicketHeader): {ticket}}, body)
}
