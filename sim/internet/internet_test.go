package internet

import (
	"context"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/ekcert"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
)

func TestConnectTest(t *testing.T) {
	g := gomega.NewWithT(t)
	rec := httptest.NewRecorder()
	NCSI{}.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://www.msftconnecttest.com/connecttest.txt", nil))
	g.Expect(rec.Body.String()).To(gomega.Equal(ConnectTestBody))
	rec = httptest.NewRecorder()
	NCSI{}.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://www.msftconnecttest.com/other", nil))
	g.Expect(rec.Code).To(gomega.Equal(http.StatusNotFound))
}

func TestContent(t *testing.T) {
	g := gomega.NewWithT(t)
	var c Content
	c.Publish("/App/One.bin", []byte("body"), 1<<30)
	for _, tc := range []struct {
		method, path string
		status       int
		body, size   string
	}{
		{http.MethodGet, "/app/one.BIN", 200, "body", "1073741824"},
		{http.MethodHead, "/App/One.bin", 200, "", "1073741824"},
		{http.MethodGet, "/app/two.bin", 404, "no such content: /app/two.bin\n", ""},
		{http.MethodPut, "/app/one.bin", 405, "only GET and HEAD\n", ""},
	} {
		rec := httptest.NewRecorder()
		c.ServeHTTP(rec, httptest.NewRequest(tc.method, "https://cdn"+tc.path, nil))
		g.Expect(rec.Code).To(gomega.Equal(tc.status), tc.path)
		g.Expect(rec.Body.String()).To(gomega.Equal(tc.body))
		g.Expect(rec.Header().Get(hosts.HeaderModelledSize)).To(gomega.Equal(tc.size))
	}
}

func TestEKHosts(t *testing.T) {
	g := gomega.NewWithT(t)
	key := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}
	for _, name := range []string{hosts.EKIntel, hosts.EKAMD, hosts.EKQualcomm} {
		h := &EKHost{Name: name}
		path, err := ekcert.Path(name, key)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		address, err := ekcert.URL(name, key)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		ask := func(method string) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(method, address, nil))
			return rec
		}
		g.Expect(ask(http.MethodGet).Code).To(gomega.Equal(http.StatusNotFound))
		h.Publish(path, func() ([]byte, error) { return []byte("a certificate"), nil })
		got, err := ekcert.ReadAnswer(name, ask(http.MethodGet).Body.Bytes())
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(string(got)).To(gomega.Equal("a certificate"))
		g.Expect(ask(http.MethodPut).Code).To(gomega.Equal(http.StatusMethodNotAllowed))
		h.Publish(path, func() ([]byte, error) { return nil, errors.New("no paper left") })
		g.Expect(ask(http.MethodGet).Code).To(gomega.Equal(http.StatusInternalServerError))
	}
}

func TestTimeServer(t *testing.T) {
	g := gomega.NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 500_000_000, time.UTC)
	serve := TimeServer(func() time.Time { return now })
	q := make([]byte, 48)
	q[0] = 4<<3 | 3
	binary.BigEndian.PutUint64(q[40:], 0x0123456789abcdef)
	a := serve(context.Background(), nil, q)
	g.Expect(a).To(gomega.HaveLen(48))
	g.Expect(a[0]).To(gomega.Equal(byte(4<<3 | 4)))
	g.Expect(a[24:32]).To(gomega.Equal(q[40:48]), "origin is the client's transmit time")
	g.Expect(int64(binary.BigEndian.Uint32(a[40:])) - 2208988800).To(gomega.Equal(now.Unix()))
	g.Expect(binary.BigEndian.Uint32(a[44:])).To(gomega.Equal(uint32(1 << 31)))
	for _, bad := range [][]byte{nil, q[:47], append([]byte{0}, q[1:]...)} {
		g.Expect(serve(context.Background(), nil, bad)).To(gomega.BeNil())
	}
}

func TestOffice(t *testing.T) {
	g := gomega.NewWithT(t)
	var c Content
	g.Expect(PublishOffice(&c, timing.Default())).To(gomega.Succeed())
	rec := httptest.NewRecorder()
	c.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, hosts.OfficePackage("MonthlyEnterprise", "O365ProPlusRetail"), nil))
	g.Expect(rec.Code).To(gomega.Equal(http.StatusOK))
	m, err := installer.Decode(rec.Body.Bytes())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(m.Product).To(gomega.Equal("O365ProPlusRetail"))
}
