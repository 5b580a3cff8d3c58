package cloud_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/hwhash"
)

const (
	killRounds  = 6
	killWriters = 8
	groupsURL   = "https://graph.microsoft.com/v1.0/groups"
	importsURL  = "https://graph.microsoft.com/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities"
)

// load is what writers have asked for and were told.
type load struct {
	mu        sync.Mutex
	asked     map[string]bool   // names of groups and serial numbers
	groups    map[string]string // names by id, of those that were acknowledged
	imports   map[string]string // serial numbers by id
	refreshes []string          // refresh tokens
	acked     atomic.Int64
}

func (l *load) ask(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[name] = true
}

func (l *load) ack(f func()) {
	l.mu.Lock()
	f()
	l.mu.Unlock()
	l.acked.Add(1)
}

var _ = Describe("windtunnel serve --state", func() {
	It("has every acknowledged write after kill -9 under load", func() {
		dir := filepath.Join(GinkgoT().TempDir(), "state")
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		l := &load{asked: map[string]bool{}, groups: map[string]string{}, imports: map[string]string{}}
		for round := range killRounds {
			c := launch("--state", dir)
			l.check(c)
			after := l.acked.Load() + 20 + random.Int64N(150)
			old := c.Token("https://graph.microsoft.com")
			killed := make(chan struct{})
			var writers sync.WaitGroup
			for w := range killWriters {
				writers.Go(func() { l.write(c, old, fmt.Sprintf("R%d-W%d", round, w), w, killed) })
			}
			Eventually(l.acked.Load, patience, "1ms").Should(BeNumerically(">=", after))
			c.kill()
			close(killed)
			writers.Wait()
			GinkgoWriter.Printf("round %d: killed after %d acknowledged writes, %d asked for\n", round, l.acked.Load(), len(l.asked))
		}
		c := start("--state", dir)
		l.check(c)
		Expect(l.groups).NotTo(BeEmpty())
		Expect(l.imports).NotTo(BeEmpty())
		Expect(l.refreshes).NotTo(BeEmpty())
	})
})

// write creates one thing after the other until the process is gone. What has
// no answer was not acknowledged, whatever became of it.
func (l *load) write(c *cloud, token, name string, writer int, killed <-chan struct{}) {
	defer GinkgoRecover()
	for n := 0; ; n++ {
		select {
		case <-killed:
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", name, n)
		l.ask(name)
		var err error
		switch writer % 3 {
		case 0:
			err = l.writeGroup(c, token, name)
		case 1:
			err = l.writeImport(c, token, name, writer, n)
		case 2:
			err = l.writeRefresh(c)
		}
		if err != nil {
			return // the process was killed; a refusal has failed the spec
		}
	}
}

func (l *load) writeGroup(c *cloud, token, name string) error {
	var made struct{ ID string }
	err := c.post(groupsURL, token, map[string]any{"displayName": name, "mailEnabled": false, "mailNickname": strings.ToLower(name), "securityEnabled": true}, &made)
	if err == nil {
		l.ack(func() { l.groups[made.ID] = name })
	}
	return err
}

func (l *load) writeImport(c *cloud, token, serial string, writer, n int) error {
	hash, err := hwhash.EncodeBase64(hwhash.Hardware{
		SMBIOS: hwhash.SMBIOS{UUID: hwhash.UUID{1, byte(writer), byte(n >> 8), byte(n)}, Serial: serial, Manufacturer: "Fabrikam", Product: "FieldBook 13"},
		NICs:   []hwhash.NIC{{Medium: hwhash.MediumEthernet, MAC: [6]byte{2, 0, 0, byte(writer), byte(n >> 8), byte(n)}}},
		Disks:  []hwhash.Disk{{SizeGiB: 256, Bus: hwhash.BusNVMe, Serial: "D" + serial}},
	})
	Expect(err).NotTo(HaveOccurred())
	var made struct{ ID string }
	err = c.post(importsURL, token, map[string]any{"serialNumber": serial, "groupTag": "killed", "hardwareIdentifier": hash}, &made)
	if err == nil {
		l.ack(func() { l.imports[made.ID] = serial })
	}
	return err
}

// writeRefresh signs a user in, who gets a refresh token that is to last.
func (l *load) writeRefresh(c *cloud) error {
	answer, err := c.grant(url.Values{
		"grant_type": {"password"}, "username": {c.Ready.Users[0].UPN}, "password": {c.Ready.Users[0].Password},
		"client_id": {publicClient}, "scope": {"https://graph.microsoft.com/.default offline_access"},
	})
	if err == nil {
		l.ack(func() { l.refreshes = append(l.refreshes, answer.RefreshToken) })
	}
	return err
}

// publicClient is the Azure CLI's application, which is in every tenant.
const publicClient = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

type granted struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

// grant asks for a token. Its error says that nobody answered.
func (c *cloud) grant(form url.Values) (g granted, err error) {
	resp, err := c.Client().PostForm("https://login.microsoftonline.com/"+c.Ready.TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		return g, err
	}
	return g, read(resp, http.StatusOK, &g)
}

// post creates something by Graph. Its error says that nobody answered.
func (c *cloud) post(address, token string, in, out any) error {
	body, err := json.Marshal(in)
	Expect(err).NotTo(HaveOccurred())
	req, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Client().Do(req)
	if err != nil {
		return err
	}
	return read(resp, http.StatusCreated, out)
}

// read takes an answer that came whole, and must have that status then.
func read(resp *http.Response, want int, out any) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	Expect(resp.StatusCode).To(Equal(want), "%s", body)
	Expect(json.Unmarshal(body, out)).To(Succeed())
	return nil
}

// check looks for every acknowledged write, and for what nobody has asked for.
func (l *load) check(c *cloud) {
	GinkgoHelper()
	token := c.Token("https://graph.microsoft.com")
	groups := map[string]string{}
	for _, g := range c.list(groupsURL, token) {
		groups[g["id"].(string)], _ = g["displayName"].(string)
		if strings.HasPrefix(groups[g["id"].(string)], "R") {
			Expect(l.asked).To(HaveKey(g["displayName"]), "nobody has asked for it")
			Expect(g).To(HaveKeyWithValue("mailNickname", strings.ToLower(g["displayName"].(string))))
		}
	}
	for id, name := range l.groups {
		Expect(groups).To(HaveKeyWithValue(id, name), "an acknowledged group")
	}
	imports := map[string]string{}
	for _, i := range c.list(importsURL, token) {
		imports[i["id"].(string)], _ = i["serialNumber"].(string)
		Expect(l.asked).To(HaveKey(i["serialNumber"]), "nobody has asked for it")
		Expect(i).To(HaveKeyWithValue("groupTag", "killed"))
		Expect(i["state"]).To(HaveKey("deviceImportStatus"))
	}
	for id, serial := range l.imports {
		Expect(imports).To(HaveKeyWithValue(id, serial), "an acknowledged import")
	}
	for _, refresh := range l.refreshes {
		g, err := c.grant(url.Values{"grant_type": {"refresh_token"}, "client_id": {publicClient}, "refresh_token": {refresh}, "scope": {"https://graph.microsoft.com/.default"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(g.AccessToken).NotTo(BeEmpty())
	}
}

// list reads a collection with all its pages.
func (c *cloud) list(address, token string) (all []map[string]any) {
	GinkgoHelper()
	for address != "" {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		Expect(err).NotTo(HaveOccurred())
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := c.Client().Do(req)
		Expect(err).NotTo(HaveOccurred())
		var page struct {
			Value []map[string]any `json:"value"`
			Next  string           `json:"@odata.nextLink"`
		}
		Expect(read(resp, http.StatusOK, &page)).To(Succeed())
		all = append(all, page.Value...)
		address = page.Next
	}
	return all
}
