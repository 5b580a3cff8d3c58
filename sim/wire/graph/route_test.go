package graph_test

import (
	"encoding/json"
	"testing"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/graph"
)

func TestSplitPath(t *testing.T) {
	for path, want := range map[string][]string{
		"/v1.0/users":                        {"v1.0", "users"},
		"/Beta/users/Ada@x":                  {"beta", "users", "Ada@x"},
		"/beta/users('Ada@x')/memberOf":      {"beta", "users", "Ada@x", "memberOf"},
		"/beta/users('O''Brien')":            {"beta", "users", "O'Brien"},
		"/v1.0/x/1/microsoft.graph.assign":   {"v1.0", "x", "1", "assign"},
		"/v1.0/x/1/Microsoft.Graph.assign()": {"v1.0", "x", "1", "assign"},
		"/v1.0/x(5)":                         {"v1.0", "x", "5"},
		"/v1.0//users/":                      {"v1.0", "users"},
	} {
		g := gomega.NewWithT(t)
		version, segments, ok := graph.SplitPath(path)
		g.Expect(ok).To(gomega.BeTrue(), path)
		g.Expect(append([]string{version}, segments...)).To(gomega.Equal(want), path)
	}
	for _, path := range []string{"", "/", "/v2.0/users", "/v1.0/users('x'"} {
		g := gomega.NewWithT(t)
		_, _, ok := graph.SplitPath(path)
		g.Expect(ok).To(gomega.BeFalse(), path)
	}
}

func TestRoutes(t *testing.T) {
	g := gomega.NewWithT(t)
	var r graph.Routes[string]
	r.Add("POST", "deviceManagement/windowsAutopilotDeviceIdentities/{id}/updateDeviceProperties", "update")
	r.Add("GET", "deviceManagement/windowsAutopilotDeviceIdentities/{id}", "get")
	r.Add("GET", "users", "list")
	for _, path := range []string{"/beta/devicemanagement/windowsAutopilotDeviceIdentities/ID-1/UpdateDeviceProperties",
		"/beta/deviceManagement/windowsautopilotdeviceidentities('ID-1')/microsoft.graph.updateDeviceProperties"} {
		m, _, ok := r.Find("POST", path)
		g.Expect(ok).To(gomega.BeTrue())
		g.Expect(m).To(gomega.Equal(graph.Match[string]{Value: "update", Version: graph.Beta, Params: graph.Params{"id": "ID-1"}}))
	}
	_, known, ok := r.Find("DELETE", "/v1.0/users")
	g.Expect(known && !ok).To(gomega.BeTrue())
	_, known, ok = r.Find("GET", "/v1.0/groups")
	g.Expect(known || ok).To(gomega.BeFalse())
	_, known, ok = r.Find("GET", "/users")
	g.Expect(known || ok).To(gomega.BeFalse())
}

func TestStrict(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1}`: `{"a":1}`,
		"{\n userPrincipalName: \"a@b\",\n groupTag: 'it''s',\n}":       ``,
		"{\n userPrincipalName: \"a@b\",\n displayName: 'PC \"1\"',\n}": `{"userPrincipalName":"a@b","displayName":"PC \"1\""}`,
		`{a:true,b:null,c:-1.5e3,d:[1,2,],'e':'x\'y',f_g:{h:"\n: ,}"}}`: `{"a":true,"b":null,"c":-1500,"d":[1,2],"e":"x'y","f_g":{"h":"\n: ,}"}}`,
		`{"müll":"größe",}`: `{"müll":"größe"}`,
		`{a:'x`:             ``,
		`{a:b}`:             ``,
		``:                  ``,
	} {
		g := gomega.NewWithT(t)
		got, err := graph.Strict([]byte(body))
		if want == "" {
			g.Expect(err).To(gomega.HaveOccurred(), body)
			continue
		}
		g.Expect(err).NotTo(gomega.HaveOccurred(), body)
		g.Expect(got).To(gomega.MatchJSON(want))
	}
}

func FuzzStrict(f *testing.F) {
	f.Add([]byte(`{a:true,b:null,c:-1.5e3,d:[1,2,],'e':'x\'y',f_g:{h:"\n: ,}"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := graph.Strict(body)
		if err == nil && !json.Valid(out) {
			t.Fatalf("%q is not JSON", out)
		}
	})
}

// FuzzMerge feeds bodies of PATCH requests to every family of resources.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"displayName":"x","rules":[{"ruleType":"detection"}],"omaSettings":null,"createdDateTime":"2026-09-01T08:00:00Z"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, name := range graph.Types() {
			v, _ := graph.New(name)
			graph.Unmodelled(body, v)
			if graph.Merge(v, body) != nil {
				continue
			}
			if _, err := json.Marshal(v); err != nil {
				t.Fatal(err)
			}
		}
	})
}
