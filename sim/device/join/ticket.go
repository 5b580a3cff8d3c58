package join

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/tpmattest"
)

// kept is the device ticket as the disk has it.
type kept struct {
	Value   string    `json:"value"`
	Expires time.Time `json:"expires"`
	TPM     bool      `json:"tpm"` // asked for with proof of the TPM
}

const keyAccount = device.KeyIdentityStore + `\DeviceAccount`

var errSignInAssistant = errors.New("the Microsoft account sign-in assistant (wlidsvc) is disabled")

// Ticket gives the PC's device ticket: what tells Microsoft's services which
// hardware this is. It needs the sign-in assistant's service. Once the TPM was
// attested, tickets say so.
func Ticket(w *device.Windows) (string, error) {
	if err := assistant(w); err != nil { // it is the service that hands out what is kept
		return "", err
	}
	if t, ok := keptTicket(w); ok {
		return t.Value, nil
	}
	_, foreign := w.Registry().DWORD(device.KeyIdentityStore, valueForeignAIK)
	t, err := requestTicket(w, !foreign)
	if err != nil {
		return "", err
	}
	return t.Value, nil
}

// DropTicket forgets the ticket; the next one is fetched anew.
func DropTicket(w *device.Windows) { w.Disk.Files.Remove(device.FileTicket) }

func keptTicket(w *device.Windows) (kept, bool) {
	var t kept
	b, ok := w.Disk.Files.Read(device.FileTicket)
	if !ok || json.Unmarshal(b, &t) != nil || !w.Now().Before(t.Expires) {
		return kept{}, false
	}
	return t, true
}

// assistant starts the sign-in assistant's service.
func assistant(w *device.Windows) error {
	if w.ServiceEnabled(device.ServiceWLID) {
		return nil
	}
	w.Log(device.LogAutopilot, 154, "Error", "The Microsoft account sign-in assistant could not be started")
	return hresult.New("device ticket", hresult.ServiceDisabled, errSignInAssistant)
}

// requestTicket asks for a ticket, with the TPM's word for it where there is one
// and it is wanted.
func requestTicket(w *device.Windows, vouched bool) (kept, error) {
	const op = "device ticket"
	if err := assistant(w); err != nil {
		return kept{}, err
	}
	if err := ensureAccount(w); err != nil {
		return kept{}, err
	}
	var validated bool
	encode := func() (body []byte, err error) {
		body, validated, err = ticketRequest(w, vouched)
		return body, err
	}
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodPost, URL: "https://" + msa.Host + msa.PathTicket,
		Header: http.Header{"Content-Type": {msa.ContentType}}, Make: device.Fresh(encode)})
	if err != nil {
		return kept{}, err
	}
	if resp.Status != http.StatusOK {
		return kept{}, hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	answer, err := msa.ParseTicketResponse(resp.Body)
	if err != nil {
		var fault *msa.Fault
		if errors.As(err, &fault) {
			return kept{}, hresult.New(op, hresult.Code(fault.Status), err)
		}
		return kept{}, hresult.New(op, hresult.InvalidData, err)
	}
	issued, ok := answer.For(msa.ScopeDeployment)
	if !ok {
		return kept{}, hresult.New(op, hresult.InvalidData, errors.New("no ticket for the deployment service in the answer"))
	}
	t := kept{Value: issued.Value, Expires: issued.Expires, TPM: validated}
	b, err := json.Marshal(t)
	if err != nil {
		return kept{}, hresult.New(op, hresult.InvalidData, err)
	}
	w.Disk.Files.Write(device.FileTicket, b)
	w.Event("msa.ticket", journal.F("tpmValidated", validated), journal.F("expires", issued.Expires))
	return t, nil
}

// ticketRequest is a request of this moment, and whether the TPM vouches for
// it.
func ticketRequest(w *device.Windows, vouched bool) (body []byte, validated bool, err error) {
	r, now := w.Registry(), w.Now()
	request := msa.TicketRequest{
		MessageID: "urn:uuid:" + w.GUID(), Created: now, Expires: now.Add(w.Timing.MSA.RequestSkew),
		Username: r.String(keyAccount, "Membername"), Password: r.String(keyAccount, "Password"),
		Scopes: []msa.Scope{{Address: msa.ScopeSTS}, {Address: msa.ScopeDeployment, Policy: msa.PolicySSL}},
	}
	if vouched {
		if validated, err = prove(w, &request); err != nil {
			return nil, false, err
		}
	}
	if body, err = request.Encode(); err != nil {
		return nil, false, hresult.New("device ticket", hresult.InvalidData, err)
	}
	return body, validated, nil
}

// valueForeignAIK of KeyIdentityStore says that the AIK certificate came with an
// image: this Windows has not attested yet.
const valueForeignAIK = "ForeignAIK"

// KeepAIK puts an AIK certificate of an earlier Windows on a disk.
func KeepAIK(disk *device.Disk, cert device.Certificate) {
	disk.Certs.Put(cert)
	disk.Registry.SetDWORD(device.KeyIdentityStore, valueForeignAIK, 1)
}

// prove adds the attestation key's signature over the request, where the PC
// has a certificate for that key. Where the key is gone, because the TPM was
// cleared, Windows forgets the certificate.
func prove(w *device.Windows, request *msa.TicketRequest) (bool, error) {
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, CertAIK)
	if !ok || w.Chip == nil {
		return false, nil
	}
	aik, err := w.Chip.AIK(w.Ctx)
	if errors.Is(err, vtpm.ErrNoKey) {
		w.Disk.Certs.Delete(device.StoreMySystem, CertAIK)
		w.Event("aik.dropped", journal.F("why", err.Error()))
		return false, nil
	}
	if err != nil {
		return false, tpmError(w, "open AIK", err)
	}
	digest := request.ProofDigest()
	a, err := aik.Quote(w.Ctx, digest[:], 0)
	if err != nil {
		return false, tpmError(w, "sign ticket request", err)
	}
	statement := tpmattest.KeyAttestation{Attest: a.Attest, Signature: a.Signature, KeyBlob: aik.PublicArea()}
	request.Proof = &msa.AttestedProof{AIKCertificates: [][]byte{cert.DER}, Statement: statement.Marshal()}
	return true, nil
}

// ensureAccount makes the device account, once in a Windows installation: name
// and password are made up by the PC, its hardware is told to the service.
func ensureAccount(w *device.Windows) error {
	const op = "device account"
	r := w.Registry()
	if r.String(keyAccount, "PUID") != "" {
		return nil
	}
	request := msa.DeviceAddRequest{
		ClientInfo:     msa.ClientInfo{Name: "IDCRL", Version: "1.0", BinaryVersion: "55"},
		Authentication: msa.Authentication{Membername: "02" + hex.EncodeToString(w.Random(9)), Password: base64.RawURLEncoding.EncodeToString(w.Random(15))},
		DeviceInfo:     hardware(w),
	}
	body, err := msa.Encode(request)
	if err != nil {
		return hresult.New(op, hresult.InvalidData, err)
	}
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodPost, URL: "https://" + msa.Host + msa.PathDeviceAdd,
		Header: http.Header{"Content-Type": {msa.ContentType}}, Body: body})
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	answer, err := msa.ParseDeviceAddResponse(resp.Body)
	if err != nil {
		return hresult.New(op, hresult.InvalidData, err)
	}
	if !answer.Success {
		return hresult.New(op, hresult.AccessDenied, errors.New("login.live.com refuses a device account"))
	}
	r.SetString(keyAccount, "Membername", request.Authentication.Membername)
	r.SetString(keyAccount, "Password", request.Authentication.Password)
	r.SetString(keyAccount, "PUID", answer.PUID)
	return nil
}

// hardware is what the service learns of the PC.
func hardware(w *device.Windows) msa.DeviceInfo {
	info := msa.DeviceInfo{ID: "DeviceInfo"}
	h := w.Hardware
	for _, c := range []struct {
		id    msa.ComponentID
		value string
	}{
		{msa.ComponentBoardMaker, h.Manufacturer}, {msa.ComponentBoardVersion, h.BoardVersion}, {msa.ComponentModel, h.Model},
		{msa.ComponentSerial, h.Serial}, {msa.ComponentUUID, h.UUID}, {msa.ComponentDiskSerial, h.DiskSerial}, {msa.ComponentMAC, h.MAC},
	} {
		info.Add(c.id, c.value)
	}
	if w.Chip != nil {
		ek := w.Chip.EKPublic()
		info.TPM = &msa.TPMInfo{RSAKeyValue: msa.RSAKeyValue{
			Modulus: base64.StdEncoding.EncodeToString(ek.N.Bytes()), Exponent: "AQAB",
		}}
	}
	return info
}

// gone gives the reason why this boot cannot go on, nil where it can.
func gone(w *device.Windows) error { return context.Cause(w.Ctx) }
