package graph_test

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/graph"
)

func TestRawCollectionIsACollection(t *testing.T) {
	g := NewWithT(t)
	total := 7
	for _, items := range [][]json.RawMessage{nil, {[]byte(`{"id":"1"}`)}, {[]byte(`{"id":"1"}`), []byte(`{"id":"<2>"}`)}} {
		c := graph.Collection[json.RawMessage]{Context: "https://graph/<$metadata>", Count: &total, NextLink: "next", Value: items}
		want, err := json.Marshal(c)
		g.Expect(err).NotTo(HaveOccurred())
		got, err := graph.RawCollection(c).Encode()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got).To(MatchJSON(want))
	}
}
