package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// run leaves a folder as a run does whose journal is these events.
func run(t *testing.T, path string, events []journal.Event, finish bool) {
	t.Helper()
	g := gomega.NewWithT(t)
	d, err := report.Create(path, []byte("name: quickstart\n"), report.Header{Build: "(devel) abc", Home: "tls"})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for _, e := range events {
		g.Expect(d.Journal().Write(e)).To(gomega.Succeed())
	}
	if finish {
		g.Expect(d.Finish(summary(), map[string][]journal.Event{"PF4K2J7A": events, "../x": events})).To(gomega.Succeed())
	}
	g.Expect(d.Close()).To(gomega.Succeed())
}

func TestDirIsWrittenAndRead(t *testing.T) {
	g := gomega.NewWithT(t)
	path := filepath.Join(t.TempDir(), "out")
	run(t, path, life(), true)
	p, err := report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Header).To(gomega.Equal(report.Header{Build: "(devel) abc", Home: "tls"}))
	g.Expect(p.Summary.TraceHash).To(gomega.Equal(summary().TraceHash))
	text, err := os.ReadFile(filepath.Join(path, "devices", "PF4K2J7A", "timeline.txt"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(text)).To(gomega.HavePrefix("PF4K2J7A\n"))
	names, err := filepath.Glob(filepath.Join(path, "devices", "*"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(names).To(gomega.HaveLen(2))

	run(t, path, nil, false) // over an earlier run, and killed
	p, err = report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p.Summary).To(gomega.BeNil())
	g.Expect(filepath.Join(path, "devices")).NotTo(gomega.BeADirectory())
}

func TestDirRefusesWhatIsNotOurs(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"a file": func(p string) error { return os.WriteFile(filepath.Join(p, "thesis.tex"), nil, 0o644) },
		"another scenario": func(p string) error {
			return os.WriteFile(filepath.Join(p, "scenario.yaml"), []byte("name: mine\n"), 0o644)
		},
		"in devices": func(p string) error { return os.WriteFile(filepath.Join(p, "devices", "notes"), nil, 0o644) },
		"in a device": func(p string) error {
			return os.WriteFile(filepath.Join(p, "devices", "PF4K2J7A", "notes"), nil, 0o644)
		},
		"a folder": func(p string) error { return os.Mkdir(filepath.Join(p, ".git"), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			path := filepath.Join(t.TempDir(), "out")
			run(t, path, life(), true)
			g.Expect(spoil(path)).To(gomega.Succeed())
			_, err := report.Create(path, nil, report.Header{})
			g.Expect(err).To(gomega.MatchError(report.ErrForeign))
			g.Expect(filepath.Join(path, "summary.json")).To(gomega.BeARegularFile())
			g.Expect(filepath.Join(path, "devices", "PF4K2J7A", "timeline.txt")).To(gomega.BeARegularFile())
		})
	}
}

func TestOpenWantsARun(t *testing.T) {
	g := gomega.NewWithT(t)
	_, err := report.Open(t.TempDir())
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("give the folder")))
}

func TestQuote(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(report.Quote("out/1-a.yaml")).To(gomega.Equal("out/1-a.yaml"))
	g.Expect(report.Quote("my file")).To(gomega.Equal("'my file'"))
	g.Expect(report.Quote("it's")).To(gomega.Equal(`'it'\''s'`))
	g.Expect(report.Quote("")).To(gomega.Equal("''"))
}
