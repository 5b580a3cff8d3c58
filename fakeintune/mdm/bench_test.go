package mdm_test

import (
	"net/http"
	"testing"

	"windtunnel.test/fakeintune/tenant"
)

// What a first session of the tenant of these tests takes, without its enrolment.
func BenchmarkFirstSession(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		b.StopTimer()
		p := w.enroll(tenant.EnrolledWhiteGlove, "one")
		b.StartTimer()
		if p.sync(bootstrap, "") != http.StatusOK {
			b.Fatal("refused")
		}
	}
}
