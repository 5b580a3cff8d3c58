package tenant_test

import (
	"context"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/sim/wire/graph"
)

// Rows that lead to the rarer import errors, each beside a device that is
// registered.
func TestRareImportErrors(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	first, second := rig.NewPC(1), rig.NewPC(2)
	mixed := rig.NewPC(1)
	mixed.Hardware.EKModulus = second.Hardware.EKModulus
	long := string(slices.Repeat([]byte{'x'}, 600))
	var made []graph.ImportedDevice
	r.Do(func(ctx context.Context) {
		_, err := r.Tenant.Import(ctx, []graph.ImportedDevice{{SerialNumber: "PC-001", HardwareIdentifier: first.Hash()}, {SerialNumber: "PC-002", HardwareIdentifier: second.Hash()}})
		g.Expect(err).NotTo(HaveOccurred())
	})
	r.Pass(time.Minute)
	r.Do(func(ctx context.Context) {
		var err error
		made, err = r.Tenant.Import(ctx, []graph.ImportedDevice{
			{SerialNumber: "A", HardwareIdentifier: rig.NewPC(3).Hash(), GroupTag: long},
			{SerialNumber: "B", HardwareIdentifier: rig.NewPC(4).Hash(), AssignedUserPrincipalName: "nobody"},
			{ProductKey: "3308001234567"},
			{SerialNumber: "PC-001", HardwareIdentifier: mixed.Hash()},
		})
		g.Expect(err).NotTo(HaveOccurred())
	})
	r.Pass(time.Minute)
	var codes []int
	for _, d := range made {
		row, err := r.Tenant.ImportRow(d.ID)
		g.Expect(err).NotTo(HaveOccurred())
		codes = append(codes, row.State.DeviceErrorCode)
	}
	g.Expect(codes).To(Equal([]int{801, 801, 812, 813}))
}
