package health_test

import (
	"crypto/sha256"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/tcglog"
)

// every is all registers.
var every = func() []int {
	list := make([]int, tcglog.PCRs)
	for i := range list {
		list[i] = i
	}
	return list
}()

// registers reads a PC's registers as a boot leaves them, and its log.
func registers(w *spec.World, pc *device.PC) (values [][]byte, log *tcglog.Log) {
	GinkgoHelper()
	w.Boot(pc, func(win *device.Windows) {
		var err error
		values, err = win.Chip.ReadPCRs(win.Ctx, every...)
		Expect(err).NotTo(HaveOccurred())
		log, err = tcglog.Parse(win.TCGLog())
		Expect(err).NotTo(HaveOccurred())
	})
	return values, log
}

// digest is what a quote of all registers says of them.
func digest(values [][]byte) []byte {
	h := sha256.New()
	for _, v := range values {
		h.Write(v)
	}
	return h.Sum(nil)
}

// asking is a tenant with a compliance policy of its own.
func asking(p graph.CompliancePolicy) spec.Option {
	return spec.Tenant(func(t *scenario.Tenant) {
		p.ODataType, p.ID, p.DisplayName = graph.TypeCompliancePolicy, "5e1f0000-0000-4000-8000-000000000001", "Healthy start"
		p.Assignments = []graph.Assignment{{Target: graph.AllDevices()}}
		t.Policies = append(t.Policies, p)
	})
}

const endpoint = "https://" + hosts.HealthAttestation + maa.Path + "?api-version=" + maa.APIVersion

// exchange sends a message to the attestation service in Windows' place.
func exchange(win *device.Windows, m maa.ToService) (answer maa.ToClient, refused *maa.Error) {
	GinkgoHelper()
	body, err := maa.Encode(m)
	Expect(err).NotTo(HaveOccurred())
	resp, err := win.Do(device.Request{Op: "attack", Method: http.MethodPost, URL: endpoint, Body: body})
	Expect(err).NotTo(HaveOccurred())
	if resp.Status != http.StatusOK {
		return answer, maa.DecodeError(resp.Body)
	}
	answer, err = maa.Decode[maa.ToClient](resp.Body)
	Expect(err).NotTo(HaveOccurred())
	return answer, nil
}

// evidence is an honest request over a challenge, signed by the PC's MDM key.
func evidence(win *device.Windows, challenge maa.ToClient) maa.Request {
	GinkgoHelper()
	key, err := win.Key(win.Ctx, "mdm")
	Expect(err).NotTo(HaveOccurred())
	aik, err := win.Chip.AIK(win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	qualifying, err := maa.Qualifying(challenge.Challenge, key.Public())
	Expect(err).NotTo(HaveOccurred())
	quote, err := aik.Quote(win.Ctx, qualifying, every...)
	Expect(err).NotTo(HaveOccurred())
	values, err := win.Chip.ReadPCRs(win.Ctx, every...)
	Expect(err).NotTo(HaveOccurred())
	claim := maa.PlatformClaim{Quote: quote.Attest[2:], Signature: quote.Signature}
	copy(claim.Values[:], values)
	cert, ok := win.Disk.Certs.Find(device.StoreMySystem, "aik")
	Expect(ok).To(BeTrue())
	return maa.Request{Type: maa.TypeBasic, Data: maa.Data{
		RelyingParty: "https://rogue.example", RelyingData: []byte("a nonce"), Challenge: challenge.Challenge, ServiceContext: challenge.ServiceContext,
		TPM: maa.TPMData{BootLog: win.TCGLog(), AIKCertificate: cert.DER, AIKPublic: &maa.Key{Key: aik.Public()}, CurrentClaim: claim.Marshal()},
	}}
}

// submit signs a request with the PC's MDM key and sends it.
func submit(win *device.Windows, r maa.Request) (maa.ToClient, *maa.Error) {
	GinkgoHelper()
	key, err := win.Key(win.Ctx, "mdm")
	Expect(err).NotTo(HaveOccurred())
	jws, err := maa.SignRequest(r, key.In(win.Ctx))
	Expect(err).NotTo(HaveOccurred())
	return exchange(win, maa.ToService{Request: jws})
}

// checks are those that refused a PC something, in their order.
func checks(w *spec.World, pc *device.PC) (list []string) {
	for _, e := range w.Events(pc, journal.Refused) {
		list = append(list, e.Text("check"))
	}
	return list
}
