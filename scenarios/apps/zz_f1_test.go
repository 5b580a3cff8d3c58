package apps_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim/spec"
)

var _ = Describe("zzf1", func() {
	It("looks", func() {
		for _, n := range []string{"3"} {
			w := spec.NewWorld(mixed, spec.Variant(n))
			pc := w.NewRegisteredPC()
			err := w.TryProvision(pc)
			fmt.Println("OUT", n, err)
			for _, e := range w.Events(pc, "msi.status", "log.line", "mdm.session", "eventlog", "esp.row", "app.install","product.installed") {
				fmt.Println(e.Time.Format("15:04:05"), e.Kind, e.Text("message"), e.Text("product"), e.Text("status"), e.Text("row"), e.Text("text"), e.Text("app"), e.Text("state"), e.Text("id"))
			}
		}
	})
})
