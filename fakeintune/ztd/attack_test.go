package ztd_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/ztd"
)

// A PC is one tenant's: another tenant's profile for all devices, or its
// import of the same hardware, changes nothing for it.
func TestOtherTenants(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.addProfile("Sales")
	pc := rig.NewPC(1)
	w.register(pc)
	w.Do(func(ctx context.Context) {
		_, err := w.Other.Profiles().Add(ctx, graph.DeploymentProfile{ODataType: graph.TypeEntraProfile, DisplayName: "Theirs", Assignments: []graph.Assignment{{Target: graph.AllDevices()}}})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = w.Other.Import(ctx, []graph.ImportedDevice{{SerialNumber: pc.Hardware.SMBIOS.Serial, HardwareIdentifier: pc.Hash()}})
		g.Expect(err).NotTo(HaveOccurred())
	})
	w.Pass(time.Minute)
	w.Do(func(ctx context.Context) { g.Expect(w.Other.Sync(ctx)).To(Succeed()) })
	w.Pass(30 * time.Minute)
	g.Expect(w.Other.Registrations()).To(BeEmpty())
	p, code := w.answer(w.Ticket(pc, true), request(pc))
	g.Expect(code).To(BeZero())
	g.Expect(p.CloudAssignedTenantID + " " + p.DeploymentProfileName).To(Equal(rig.TenantID + " Sales"))

	stranger := rig.NewPC(9)
	_, code = w.answer(w.Ticket(stranger, true), request(pc))
	g.Expect(code).To(Equal(908), "another PC's ticket with this one's serial number")
	_, code = w.answer(w.Ticket(stranger, true), request(stranger))
	g.Expect(code).To(Equal(807))
}

// Bad requests are refused by their check, without a word of what is known.
func TestAttacks(t *testing.T) {
	hash := base64.StdEncoding.EncodeToString(rig.NewPC(1).Hash())
	for _, tc := range []struct {
		name, content, body string
		status              int
		check               string
	}{
		{"content type", "application/xml", "{}", 415, "content type 415"},
		{"truncated", "application/json", `{"serial":"PC-0`, 400, "body 400"},
		{"two documents", "application/json", `{"serial":"PC-001"}{}`, 400, "body 400"},
		{"too large", "application/json", `{"serial":"` + strings.Repeat("x", 17<<10) + `"}`, 413, "body 413"},
		{"deep", "application/json", strings.Repeat(`{"a":`, 3000), 400, "body 400"},
		{"wrong type", "application/json", `{"serial":["PC-001"]}`, 400, "body 400"},
		{"hash cut short", "application/json", `{"hardwareHash":"` + hash[:400] + `"}`, 400, "hardware hash 400"},
		{"hash with a wrong digest", "application/json", `{"hardwareHash":"` + hash[:200] + "AAAA" + hash[204:] + `"}`, 400, "hardware hash 400"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			w.addProfile("Sales")
			pc := rig.NewPC(1)
			before := w.register(pc)[0]
			h := http.Header{"Content-Type": {tc.content}}
			h.Set(wire.TicketHeader, w.Ticket(pc, true))
			rec := w.Call(w.h, "POST", wire.Path, h, []byte(tc.body), nil)
			g.Expect(rec.Code).To(Equal(tc.status))
			g.Expect(rec.Body.String()).NotTo(Or(ContainSubstring("CloudAssigned"), ContainSubstring("Sales"), ContainSubstring(before.ID)))
			g.Expect(w.Refusals()).To(Equal([]string{tc.check}))
			after, err := w.Tenant.Registration(before.ID)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(after).To(Equal(before))
		})
	}
	t.Run("unknown members", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		w.addProfile("Sales")
		pc := rig.NewPC(1)
		w.register(pc)
		h := http.Header{}
		h.Set(wire.TicketHeader, w.Ticket(pc, true))
		g.Expect(w.Call(w.h, "POST", wire.Path, h, []byte(`{"serial":"PC-001","later":{"a":[1]}}`), nil).Code).To(Equal(200))
	})
}
