package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"

	"windtunnel.test/sim"
)

// The elements of the format that CI systems read: the Ant task's schema, as
// Jenkins and GitLab describe it (docs.gitlab.com, "Unit test reports").
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Time       string     `xml:"time,attr"` // seconds of real time
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Cases      []testcase `xml:"testcase"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testcase struct {
		Name    string    `xml:"name,attr"`
		Class   string    `xml:"classname,attr"`
		File    string    `xml:"file,attr,omitempty"`
		Line    int       `xml:"line,attr,omitempty"`
		Failure *failed   `xml:"failure,omitempty"`
		Skipped *struct{} `xml:"skipped,omitempty"`
		Out     string    `xml:"system-out,omitempty"`
	}
	failed struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes what came of a scenario's expectations as a test report: each a
// test of the suite that is the scenario. file is the scenario's, "" for none;
// replay is the command that does the same run again. The expectations of a run
// that was interrupted were not tested.
func JUnit(w io.Writer, s *sim.Summary, file, replay string) error {
	of := suite{
		Name: s.Scenario, Tests: len(s.Expectations), Time: strconv.FormatFloat(s.WallSeconds, 'f', 3, 64), Timestamp: s.Start.UTC().Format(time.RFC3339),
		Properties: []property{{"seed", strconv.FormatUint(s.Seed, 10)}, {"home", s.Home}, {"build", s.Build}, {"traceHash", s.TraceHash}, {"again", replay}},
	}
	for _, x := range s.Expectations {
		c := testcase{Name: x.Expected, Class: s.Scenario, File: file, Line: x.Line}
		switch {
		case s.Interrupted:
			c.Skipped = &struct{}{}
			of.Skipped++
		case !x.Met:
			text := x.Text
			if x.Evidence != "" {
				text += "\n" + x.Evidence
			}
			c.Failure = &failed{Message: x.Text, Text: text + "\nAgain: " + replay}
			of.Failures++
		default:
			c.Out = x.Text
		}
		of.Cases = append(of.Cases, c)
	}
	b, err := xml.MarshalIndent(suites{Tests: of.Tests, Failures: of.Failures, Suites: []suite{of}}, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	}
	if err != nil {
		return fmt.Errorf("JUnit report: %w", err)
	}
	return nil
}
