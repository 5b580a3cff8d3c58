package restart_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/enrollee"
	"windtunnel.test/sim/wire/oauth"
)

const (
	clients = 4  // that enrol at the same time
	kills   = 3  // of the process
	between = 15 // devices that have enrolled before each
)

var _ = Describe("a cloud that is killed while devices enrol", func() {
	It("has every device that was told so, and goes on with those that were under way", func() {
		dir, err := os.MkdirTemp("", "windtunnel-restart-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)

		var enrolled, halfway []*enrollee.Device
		next := 0
		for range kills {
			c := start(dir)
			done, broken := c.load(&next)
			Expect(len(done)).To(BeNumerically(">=", between))
			enrolled, halfway = append(enrolled, done...), append(halfway, broken...)
		}

		c := start(dir)
		By(fmt.Sprintf("finding %d devices, and going on with %d", len(enrolled), len(halfway)))
		known := c.managed()
		ids := map[string]bool{}
		for _, d := range enrolled {
			id := d.Enrolled.DM.EntDMID
			Expect(known).To(HaveKeyWithValue(id, d.Name), "%s was told that it is enrolled", d.Name)
			Expect(ids).NotTo(HaveKey(id), "an id that was given twice")
			ids[id] = true
		}
		for _, d := range enrolled {
			send, hangUp := c.dial(d.Identity())
			status, body, err := send(d.Session())
			Expect(err).NotTo(HaveOccurred())
			Expect(status).To(Equal(http.StatusOK), "%s has a certificate for its sessions: %s", d.Name, body)
			_, err = d.TokenByPRT(send, oauth.ResourceMDM, time.Now())
			Expect(err).NotTo(HaveOccurred(), "%s has a primary refresh token", d.Name)
			hangUp()
		}
		send, hangUp := c.dial(nil)
		defer hangUp()
		for _, d := range halfway {
			if len(d.Certificate) > 0 {
				Expect(d.TakePRT(send)).To(Succeed(), "%s was told that it has joined", d.Name)
			}
			again := &enrollee.Device{Name: d.Name, UPN: d.UPN, Password: d.Password}
			Expect(again.Live(send, time.Now())).To(Succeed())
		}
		c.kill()
	})
})

// load lets devices come in until so many have enrolled, kills the process in the middle of it, and gives those that were
// told that they are enrolled, and those that were on the way.
func (c *cloud) load(next *int) (enrolled, halfway []*enrollee.Device) {
	GinkgoHelper()
	var mu sync.Mutex
	var clientsDone sync.WaitGroup
	enough := make(chan struct{})
	one := func() *enrollee.Device {
		mu.Lock()
		defer mu.Unlock()
		*next++
		user := c.ready.Users[len(c.ready.Users)-*next]
		return &enrollee.Device{Name: fmt.Sprintf("PC-%04d", *next), UPN: user.UPN, Password: user.Password}
	}
	for range clients {
		clientsDone.Go(func() {
			defer GinkgoRecover()
			for {
				d := one()
				send, hangUp := c.dial(nil)
				err := d.Live(send, time.Now())
				hangUp()
				mu.Lock()
				if err != nil {
					halfway = append(halfway, d)
					mu.Unlock()
					Expect(err.Error()).NotTo(ContainSubstring("HTTP "), "the process is gone, it does not refuse")
					return
				}
				if enrolled = append(enrolled, d); len(enrolled) == between {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	c.kill()
	clientsDone.Wait()
	return enrolled, halfway
}

// dial reaches the process by TLS.
func (c *cloud) dial(identity *tls.Certificate) (send enrollee.Send, hangUp func()) {
	GinkgoHelper()
	text, err := os.ReadFile(c.ready.CA)
	Expect(err).NotTo(HaveOccurred())
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(text)).To(BeTrue())
	return enrollee.Dial(c.ready.TLS, roots, identity)
}

// managed is what an administrator sees: the devices' names by id.
func (c *cloud) managed() map[string]string {
	GinkgoHelper()
	send, hangUp := c.dial(nil)
	defer hangUp()
	app := c.ready.Applications[0]
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.Secret}, "scope": {oauth.ResourceGraph + "/.default"}}
	status, body, err := send(enrollee.Message{Method: http.MethodPost, URL: "https://" + oauth.Host + "/" + c.ready.TenantID + "/oauth2/v2.0/token",
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: []byte(form.Encode())})
	Expect(err).NotTo(HaveOccurred())
	Expect(status).To(Equal(http.StatusOK), string(body))
	token, err := enrollee.AccessToken(body)
	Expect(err).NotTo(HaveOccurred())
	devices := map[string]string{}
	for at := "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices"; at != ""; {
		status, body, err := send(enrollee.Message{Method: http.MethodGet, URL: at, Header: map[string]string{"Authorization": "Bearer " + token}})
		Expect(err).NotTo(HaveOccurred())
		Expect(status).To(Equal(http.StatusOK), string(body))
		var page struct {
			Value []struct{ ID, DeviceName string }
			Next  string `json:"@odata.nextLink"`
		}
		Expect(json.Unmarshal(body, &page)).To(Succeed())
		for _, d := range page.Value {
			devices[strings.ToLower(d.ID)] = d.DeviceName
		}
		at = page.Next
	}
	return devices
}
