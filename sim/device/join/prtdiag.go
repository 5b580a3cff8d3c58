package join

import (
	"errors"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// KeyPRTAttempt keeps how the last attempt at a primary refresh token failed, for
// dsregcmd's AcquirePrtDiagnostics. Where the value names are; our model.
const KeyPRTAttempt = device.KeyIdentityStore + `\PRTDiagnostics`

// KeyDeviceAuth keeps, as value Status, what Entra ID made of the device's
// certificate the last time it was shown: dsregcmd's DeviceAuthStatus. The tool
// itself asks when it is run; our model.
const KeyDeviceAuth = device.KeyIdentityStore + `\DeviceAuth`

// Values of DeviceAuthStatus (learn.microsoft.com, "Troubleshoot devices by
// using the dsregcmd command").
const (
	deviceAuthGood = "SUCCESS"
	deviceAuthGone = "FAILED. Device is either disabled or deleted"
	deviceAuthNone = "FAILED. ERROR"
)

// keepAttempt writes down how an attempt at a primary refresh token failed.
func keepAttempt(w *device.Windows, s *Session, err error) {
	r := w.Registry()
	r.DeleteTree(KeyPRTAttempt)
	if err == nil {
		return
	}
	code, _ := hresult.CodeOf(err)
	hex := strings.ToLower(code.Hex())
	status, network := "0", hex
	var refused *oauth.Error
	if errors.As(err, &refused) {
		status, network = strconv.Itoa(refusedStatus), "0x0"
		r.SetString(KeyPRTAttempt, "CorrelationId", refused.CorrelationID)
		r.SetString(KeyPRTAttempt, "ServerErrorCode", refused.Name)
		r.SetString(KeyPRTAttempt, "ServerErrorDescription", refused.Description)
	}
	r.SetString(KeyPRTAttempt, "Status", hex)
	r.SetString(KeyPRTAttempt, "User", s.UPN)
	r.SetString(KeyPRTAttempt, "Credential", "Password")
	r.SetString(KeyPRTAttempt, "Endpoint", "https://"+hosts.Login+"/"+s.TenantID+"/oauth2/token/")
	r.SetString(KeyPRTAttempt, "Method", "POST")
	r.SetString(KeyPRTAttempt, "HttpError", network)
	r.SetString(KeyPRTAttempt, "HttpStatus", status)
	r.SetString(KeyPRTAttempt, "Time", w.Now().UTC().Format(dsregMoment)) // last: it says that the rest is there
}

// refusedStatus is what the token service refuses with (RFC 6749 5.2).
const refusedStatus = 400

// deviceAuth takes note of what Entra ID made of the device's certificate.
func deviceAuth(w *device.Windows, err error) {
	status := deviceAuthGood
	var refused *oauth.Error
	switch {
	case gone(w) != nil:
		return
	case errors.As(err, &refused):
		switch refused.Code() {
		case oauth.DeviceAuthFailed, oauth.DeviceDisabled, oauth.DeviceNotFound:
			status = deviceAuthGone
		}
	case err != nil:
		status = deviceAuthNone
	}
	if r := w.Registry(); r.String(KeyDeviceAuth, "Status") != status {
		r.SetString(KeyDeviceAuth, "Status", status)
	}
}
