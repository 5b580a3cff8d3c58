package fakead

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/onsi/gomega"
)

func TestParitySaysThatAllIsAbsent(t *testing.T) {
	g := gomega.NewWithT(t)
	var rows []struct{ Operation, Parity string }
	g.Expect(yaml.Unmarshal(Parity(), &rows)).To(gomega.Succeed())
	g.Expect(rows).NotTo(gomega.BeEmpty())
	for _, r := range rows {
		g.Expect(r.Parity).To(gomega.Equal("absent"), r.Operation)
	}
}

func TestAbsentIsSaid(t *testing.T) {
	g := gomega.NewWithT(t)
	rec := httptest.NewRecorder()
	Absent{}.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://dc1.corp.contoso.com/", nil))
	g.Expect(rec.Code).To(gomega.Equal(http.StatusNotImplemented))
}
