package scenario_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
)

func TestLoadFaults(t *testing.T) {
	want := fault.Rule{Name: "busy", When: fault.When{Host: "graph.*", Nth: 2}, Do: fault.Action{Status: 429, RetryAfter: 3 * time.Second}}
	for name, text := range map[string]string{
		"one, YAML":        "name: busy\nwhen: {host: graph.*, nth: 2}\ndo: {status: 429, retryAfter: 3s}\n",
		"one, JSON":        `{"name":"busy","when":{"host":"graph.*","nth":2},"do":{"status":429,"retryAfter":"3s"}}`,
		"a list":           `[{"name":"busy","when":{"host":"graph.*","nth":2},"do":{"status":429,"retryAfter":"3s"}}]`,
		"as in a scenario": "faults:\n  - name: busy\n    when: {host: graph.*, nth: 2}\n    do: {status: 429, retryAfter: 3s}\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			rules, problems := scenario.LoadFaults("request", []byte(text))
			g.Expect(problems).To(gomega.BeEmpty())
			g.Expect(rules).To(gomega.Equal([]fault.Rule{want}))
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":       {"", "request"},
		"a text":        {"busy", "request:1:1: want a mapping"},
		"not YAML":      {"{", "YAML"},
		"unknown key":   {`{"name":"x","do":{"status":429},"wen":{}}`, `unknown key "faults[0].wen"`},
		"no name":       {`{"do":{"status":429}}`, "name: is missing"},
		"empty name":    {`{"name":"","do":{"status":429}}`, "name: is empty"},
		"does nothing":  {`{"name":"x","do":{}}`, "does nothing"},
		"no such layer": {`{"name":"x","when":{"layer":"smtp"},"do":{"drop":true}}`, `layer "smtp" is none of`},
		"twice":         {`[{"name":"x","do":{"drop":true}},{"name":"x","do":{"drop":true}}]`, "x"},
		"wrong type":    {`{"name":"x","do":{"status":"many"}}`, "want a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			rules, problems := scenario.LoadFaults("request", []byte(c.text))
			g.Expect(rules).To(gomega.BeEmpty())
			g.Expect(problems.Error()).To(gomega.ContainSubstring(c.want))
		})
	}
}
