package scenario_test

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

func TestItemsOfExpect(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/expect.yaml")
	again(t, s)
	text, err := os.ReadFile("testdata/good/expect.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(validator(t).Validate(document(t, text))).To(Succeed())

	var said []string
	for _, x := range s.Expect {
		said = append(said, x.String())
	}
	g.Expect(said).To(Equal([]string{
		"failures == 0",
		"phase.user.p90 < 2h",
		"PC-0001 ends: failed with 0x81039001 in * decided by * because *..*",
		"every PC ends: stuck on esp at Certificates*",
		"PC-0001 eventlog [channel=*Autopilot*, id=177, message=*3 of 3*]",
		"app.install [app=Notes] never",
		"app.install >= 2 times",
		"screen.shown [screen=esp] after device.resealed before desktop.reached [user=a*] within 1h",
		"screen.shown [screen=autopilot.failure]",
		"PC-* eventlog [channel=*, id=171]",
		"http.request [host=*.contoso.com, status=429] < 3 times",
		"refused [service=enroll, check=platform*, code=0x80180014]",
		"* [code=0x801c03*]",
		`every PC HKLM\SOFTWARE\X\Y is 1`,
		`PC-2 HKLM\SOFTWARE\X\Y is not there`,
		"/beta/deviceManagement/autopilotEvents [deploymentState=failure, a.b=true] once",
	}))
	g.Expect(s.ExpectLines).To(HaveLen(len(s.Expect)))
	g.Expect(s.ExpectLines[0]).To(Equal(6))
	g.Expect(s.ExpectLines[len(said)-1]).To(Equal(21))
	g.Expect(*s.Expect[7].Item.Within).To(Equal(time.Hour))

	resolved, problems := s.Resolve(scenario.Flags{})
	g.Expect(problems).To(BeEmpty())
	g.Expect(resolved.ExpectLines).To(Equal(s.ExpectLines), "a run tells of them")
}
