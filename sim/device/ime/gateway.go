package ime

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/sidecar"
)

var (
	errCertificate = errors.New("not valid any more")
	errNoMDM       = errors.New("the device has no MDM certificate")
)

// certIME is the agent's own certificate in My\System.
const certIME = "ime"

// gateway is the agent's line to its service.
type gateway struct {
	a      *agent
	client *http.Client
	url    string
	cert   *x509.Certificate
}

// connect finds the gateway and, the first time, gets the agent's certificate
// from it.
func (a *agent) connect() (*gateway, error) {
	if a.gateway != nil {
		return a.gateway, nil
	}
	mdm, ok := a.w.Disk.Certs.Find(device.StoreMySystem, "mdm")
	if !ok {
		return nil, errNoMDM
	}
	bootstrap, err := a.w.HTTPWith(mdm)
	if err != nil {
		return nil, err
	}
	resp, err := a.w.Do(device.Request{Op: "IME location service", Client: bootstrap, Method: http.MethodGet, URL: "https://" + hosts.IntuneLocation + sidecar.DiscoveryPath})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, hresult.New("IME location service", hresult.FromHTTPStatus(resp.Status), nil)
	}
	address, err := sidecar.DecodeServiceAddresses(resp.Body)
	if err != nil {
		return nil, hresult.New("IME location service", hresult.InvalidData, err)
	}
	g := &gateway{a: a, url: strings.TrimSuffix(address, "/")}
	if err := g.identify(bootstrap); err != nil {
		return nil, err
	}
	a.gateway = g
	return g, nil
}

// identify opens the agent's own certificate, or enrols for it with the MDM
// certificate's authority. Its key is a software key on the disk.
func (g *gateway) identify(bootstrap *http.Client) error {
	w := g.a.w
	seed := w.Disk.Keys.Get(certIME)
	if seed == nil {
		seed = w.Random(32)
		w.Disk.Keys.Put(certIME, seed)
	}
	key, err := softwareKey(seed)
	if err != nil {
		return err
	}
	kept, ok := w.Disk.Certs.Find(device.StoreMySystem, certIME)
	if !ok {
		if kept, err = g.enroll(bootstrap, key); err != nil {
			return err
		}
	}
	if g.cert, err = kept.Parse(); err != nil {
		return err
	}
	g.client = w.NewClient(vnet.ClientOptions{Certificate: &vnet.ClientCertificate{Cert: g.cert, Signer: key}})
	return nil
}

func (g *gateway) enroll(bootstrap *http.Client, key *ecdsa.PrivateKey) (device.Certificate, error) {
	const op = "IME certificate"
	w := g.a.w
	request, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: w.Hardware.UUID}}, key)
	if err != nil {
		return device.Certificate{}, hresult.New(op, hresult.Unexpected, err)
	}
	resp, err := w.Do(device.Request{Op: op, Client: bootstrap, Method: http.MethodPost, URL: g.url + sidecar.CertificatePath,
		Header: http.Header{"Content-Type": {"application/pkcs10"}}, Body: request})
	if err != nil {
		return device.Certificate{}, err
	}
	if resp.Status != http.StatusOK {
		return device.Certificate{}, hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	cert := device.Certificate{Store: device.StoreMySystem, Name: certIME, DER: resp.Body, Container: certIME}
	parsed, err := cert.Parse()
	if err != nil {
		return device.Certificate{}, hresult.New(op, hresult.InvalidData, err)
	}
	w.Disk.Certs.Put(cert)
	w.Event("ime.certificate", journal.F("notAfter", parsed.NotAfter))
	return cert, nil
}

// softwareKey makes the P-256 key of a seed; the same seed gives the same key.
func softwareKey(seed []byte) (*ecdsa.PrivateKey, error) {
	for n := byte(0); ; n++ {
		scalar := sha256.Sum256(append([]byte{n}, seed...))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
		if err == nil {
			return key, nil
		}
		if n == 255 {
			return nil, err // cannot happen but with a broken hash
		}
	}
}

// certificateExpired looks at the agent's certificate with the device's clock.
func (g *gateway) certificateExpired() bool { return g.a.w.Now().After(g.cert.NotAfter) }

// session makes one exchange with the gateway.
func (g *gateway) session(kind sidecar.ContentType, token string, payload any) (string, error) {
	op := "IME " + string(kind)
	w := g.a.w
	s, err := sidecar.NewSession(w.GUID(), kind, "Schedule", sidecar.ClientInfo{
		DeviceName: w.ComputerName(), OperatingSystemVersion: "10.0." + w.Installation.Build, SideCarAgentVersion: Version,
	}, payload)
	if err != nil {
		return "", hresult.New(op, hresult.Unexpected, err)
	}
	body, err := s.Encode()
	if err != nil {
		return "", hresult.New(op, hresult.Unexpected, err)
	}
	h := http.Header{"Content-Type": {"application/json"}, "Prefer": {"return-content"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.Do(device.Request{Op: op, Client: g.client, Method: http.MethodPut, URL: g.url + sidecar.SessionPath(s.SessionID), Header: h, Body: body})
	if err != nil {
		return "", err
	}
	if resp.Status != http.StatusOK {
		return "", hresult.New(op, hresult.FromHTTPStatus(resp.Status), errors.New(string(bytes.TrimSpace(resp.Body))))
	}
	answer, err := sidecar.DecodeSession(resp.Body)
	if err != nil || answer.ResponsePayload == nil {
		return "", hresult.New(op, hresult.InvalidData, err)
	}
	return *answer.ResponsePayload, nil
}

// selectedApps asks for the apps of a scope and remembers their ids.
func (g *gateway) selectedApps(s scope) ([]sidecar.App, error) {
	payload, err := g.session(sidecar.GetSelectedApp, s.token, sidecar.AppRequest{ESPPhase: s.phase, User: s.sid != ""})
	if err != nil {
		return nil, err
	}
	apps, err := sidecar.DecodeApps(payload)
	if err != nil {
		return nil, hresult.New("IME GetSelectedApp", hresult.InvalidData, err)
	}
	type line struct {
		ID     string             `json:"Id"`
		Name   string             `json:"Name"`
		Intent sidecar.Intent     `json:"Intent"`
		Target sidecar.TargetType `json:"TargetType"`
	}
	lines := make([]line, len(apps))
	for i, app := range apps {
		lines[i] = line{app.ID, app.Name, app.Intent, app.TargetType}
		if key := appKey(app); g.a.w.Registry().String(key, "Name") != app.Name {
			g.a.w.Registry().SetString(key, "Name", app.Name)
		}
	}
	list, err := json.Marshal(lines)
	if err != nil {
		return nil, err
	}
	g.a.workload("Get policies = %s", list)
	return apps, nil
}

// knownApps are the apps that earlier rounds heard of.
func (a *agent) knownApps() []string { return a.w.Registry().Subkeys(device.KeyIME + `\Win32Apps`) }

// content asks where an app's file is and what opens it; the answer is
// encrypted to the MDM certificate, whose key the TPM has.
func (g *gateway) content(app sidecar.App) (string, sidecar.DecryptInfo, error) {
	const op = "IME GetContentInfo"
	w := g.a.w
	mdm, ok := w.Disk.Certs.Find(device.StoreMySystem, "mdm")
	if !ok {
		return "", sidecar.DecryptInfo{}, errNoMDM
	}
	payload, err := g.session(sidecar.GetContentInfo, "", sidecar.Content{
		ApplicationID: app.ID, ApplicationVersion: app.Version, ApplicationName: app.Name, Intent: app.Intent, CertificateBlob: mdm.DER,
		TargetType: app.TargetType, InstallContext: app.InstallContext,
	})
	if err != nil {
		return "", sidecar.DecryptInfo{}, err
	}
	answer, err := sidecar.DecodeContent(payload)
	if err != nil {
		return "", sidecar.DecryptInfo{}, hresult.New(op, hresult.InvalidData, err)
	}
	location, sealed, err := answer.Location()
	if err != nil {
		return "", sidecar.DecryptInfo{}, hresult.New(op, hresult.ContentNotFound, err)
	}
	cert, err := mdm.Parse()
	if err != nil {
		return "", sidecar.DecryptInfo{}, err
	}
	key, err := w.Key(w.Ctx, mdm.Container)
	if err != nil {
		return "", sidecar.DecryptInfo{}, err
	}
	info, err := sidecar.OpenDecryptInfo(cert, key.In(w.Ctx), sealed)
	if err != nil {
		return "", sidecar.DecryptInfo{}, hresult.New(op, hresult.InvalidData, err)
	}
	return location, info, nil
}

func (g *gateway) report(s []sidecar.AppStatus) error {
	payload, err := sidecar.EncodeStatus(s)
	if err != nil {
		return err
	}
	_, err = g.session(sidecar.StatusReport, "", json.RawMessage(payload))
	return err
}
