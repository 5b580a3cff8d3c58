package graph_test

import (
	"context"
	"fmt"
	"testing"

	"windtunnel.test/fakeintune/graph"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// BenchmarkOneOfMany asks for one managed device by serial number, as scripts
// do for each of theirs, beside so many others: it must not cost more.
func BenchmarkOneOfMany(b *testing.B) {
	for _, n := range []int{100, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rig.New(b)
			a := &admin{Rig: r, h: graph.New(r.Service)}
			a.signIn()
			a.Do(func(ctx context.Context) {
				for i := range n {
					if _, err := a.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: wire.ManagedDevice{SerialNumber: fmt.Sprintf("PC-%05d", i)}}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ResetTimer()
			for i := range b.N {
				a.call(200, "GET", fmt.Sprintf("%s?$filter=serialNumber+eq+'PC-%05d'", devices, i%n), nil, nil)
			}
		})
		b.Run(fmt.Sprint("first page of ", n), func(b *testing.B) {
			r := rig.New(b)
			a := &admin{Rig: r, h: graph.New(r.Service)}
			a.signIn()
			a.Do(func(ctx context.Context) {
				for i := range n {
					if _, err := a.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: wire.ManagedDevice{SerialNumber: fmt.Sprintf("PC-%05d", i)}}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ResetTimer()
			for range b.N {
				a.call(200, "GET", devices+"?$top=100", nil, nil)
			}
		})
	}
}
