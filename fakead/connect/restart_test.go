package connect_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connect"
	"windtunnel.test/sim/wire/dirsync"
)

// anew puts another server in the place of one that is through, which knows
// nothing of what that one did.
func (w *world) anew(o connect.Options) {
	w.t.Helper()
	var err error
	w.c, err = connect.New(o)
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

func (w *world) known(guid string) bool {
	_, err := w.entra.Directory.Device(tenantID, guid)
	return err == nil
}

// Computers that were deleted while the server was down are deleted in Entra ID
// by the first cycle after its start; others stay as they are.
func TestRestartLearnsWhatEntraHas(t *testing.T) {
	var options connect.Options
	w := newWorld(t, func(o *connect.Options) { options = *o }, dirsync.Role)
	var gone, dn, stays string
	w.run(func(ctx context.Context) {
		dn, gone = w.computer("AP-1", unit, "own")
		_, stays = w.computer("AP-2", unit, "own")
		w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
		w.Expect([]bool{w.known(gone), w.known(stays)}).To(gomega.Equal([]bool{true, true}))
	})
	w.remove(dn)
	w.anew(options)
	w.run(func(ctx context.Context) {
		w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
		w.Expect([]bool{w.known(gone), w.known(stays)}).To(gomega.Equal([]bool{false, true}))
		w.Expect(w.c.Status().Objects).To(gomega.Equal(1))
		w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
		w.Expect(w.known(stays)).To(gomega.BeTrue())
	})
}

// It keeps to the controller of its first import as long as that answers: another
// one might not have heard of a computer yet, which would then be deleted.
func TestKeepsToItsController(t *testing.T) {
	w := worldOf(t, []fakead.Controller{{Name: "dc1"}, {Name: "dc2"}}, nil, dirsync.Role)
	w.run(func(ctx context.Context) {
		last, gone := "", ""
		for i := range 12 {
			dn, guid := w.computer(fmt.Sprintf("AP-%d", i), unit, "own")
			if last != "" {
				w.remove(last)
			}
			w.Expect(w.clock.Sleep(ctx, time.Hour, "replication")).To(gomega.Succeed())
			w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
			w.Expect(w.known(guid)).To(gomega.BeTrue())
			w.Expect(gone == "" || !w.known(gone)).To(gomega.BeTrue())
			last, gone = dn, guid
		}
	})
	kinds := map[string]int{}
	for _, e := range w.memory.Timeline("entra-connect") {
		if e.Kind == connect.EventCycle {
			kinds[e.Text("full")]++
		}
	}
	w.Expect(kinds["true"]).To(gomega.Equal(1), "%v", kinds)
	w.Expect(kinds["false"]).To(gomega.BeNumerically(">", 1), "%v", kinds)
}
