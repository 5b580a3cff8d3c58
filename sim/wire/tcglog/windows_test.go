package tcglog_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tcglog"
)

func TestWindowsTellsWhatTheLogSays(t *testing.T) {
	g := gomega.NewWithT(t)
	w, err := sample().Windows()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	// What the sample says, and the bad case of all that it is silent about.
	g.Expect(w).To(gomega.Equal(tcglog.Windows{SecureBoot: true, Unlock: tcglog.UnlockTPM, CodeIntegrity: true,
		KernelDebug: true, TestSigning: true, FlightSigning: true, SafeMode: true, WinPE: true}))

	silent, err := (&tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}).Windows()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(silent.SecureBoot || silent.CodeIntegrity || silent.Unlock != tcglog.UnlockNone || silent.ELAM).To(gomega.BeFalse())

	// What is said once well and once badly is bad; a second word on Secure Boot is refused.
	l := sample()
	l.Add(12, tcglog.EventTag, tcglog.Bool(tcglog.CodeIntegrity, false).Marshal())
	w, err = l.Windows()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(w.CodeIntegrity).To(gomega.BeFalse())
	l.Add(7, tcglog.EFIVariableDriverConfig, tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{1}}.Marshal())
	_, err = l.Windows()
	g.Expect(err).To(gomega.HaveOccurred())

	for _, bad := range []tcglog.Event{{PCR: 12, Type: tcglog.EventTag, Data: []byte{1}}, {PCR: 7, Type: tcglog.EFIVariableDriverConfig}} {
		l := sample()
		l.Events = append(l.Events, bad)
		_, err := l.Windows()
		g.Expect(err).To(gomega.HaveOccurred())
	}
}

// Software that runs later can extend these registers too, and write what it extended into its log.
func TestWindowsIsToldBeforeTheSeparator(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, pcr := range []int{12, 13, 14} {
		l := &tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}
		l.Add(7, tcglog.Separator, make([]byte, 4))
		l.Add(12, tcglog.EventTag, tcglog.Number(tcglog.BitLockerUnlock, tcglog.UnlockNone).Marshal())
		l.Add(pcr, tcglog.Separator, make([]byte, 4))
		l.Add(7, tcglog.EFIVariableDriverConfig, tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{1}}.Marshal())
		l.Add(12, tcglog.EventTag, tcglog.Number(tcglog.BitLockerUnlock, tcglog.UnlockTPM).Marshal())
		l.Add(13, tcglog.EventTag, tcglog.Bool(tcglog.CodeIntegrity, true).Marshal())
		w, err := l.Windows()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(w.Unlock).To(gomega.Equal(tcglog.UnlockNone), "register %d", pcr)
		g.Expect(w.SecureBoot || w.CodeIntegrity).To(gomega.BeFalse(), "register %d", pcr)
	}
}

func TestEarlyLaunchDriver(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, tc := range []struct {
		path string
		good bool
		want bool
	}{
		{`\Windows\system32\drivers\wd\WdBoot.sys`, true, true},
		{`\Windows\system32\drivers\wd\WdBoot.sys`, false, false},
		{`\Windows\system32\drivers\other.sys`, true, false},
	} {
		l := sample()
		l.Add(13, tcglog.EventTag, tcglog.Tagged{Tag: tcglog.LoadedModule, Inside: []tcglog.Tagged{
			{Tag: tcglog.FilePath, Data: tcglog.UTF16(tc.path)}, tcglog.Bool(tcglog.ImageValidated, tc.good)}}.Marshal())
		w, err := l.Windows()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(w.ELAM).To(gomega.Equal(tc.want), tc.path)
	}
}
