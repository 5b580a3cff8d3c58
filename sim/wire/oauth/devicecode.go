package oauth

import (
	"encoding/json"
	"strconv"
)

// DeviceCode answers a request at the devicecode endpoint (RFC 8628 3.2).
// Version 1 spells the address verification_url and writes numbers as strings:
// an answer with V1 is written that way.
type DeviceCode struct {
	UserCode        string
	DeviceCode      string
	VerificationURI string
	ExpiresIn       int64 // seconds
	Interval        int64 // seconds between two polls
	Message         string
	V1              bool
}

type wireDeviceCode struct {
	UserCode        string `json:"user_code"`
	DeviceCode      string `json:"device_code"`
	VerificationURI string `json:"verification_uri,omitempty"`
	VerificationURL string `json:"verification_url,omitempty"`
	ExpiresIn       number `json:"expires_in"`
	Interval        number `json:"interval"`
	Message         string `json:"message"`
}

// MarshalJSON writes the spelling of the version.
func (d DeviceCode) MarshalJSON() ([]byte, error) {
	w := wireDeviceCode{UserCode: d.UserCode, DeviceCode: d.DeviceCode, Message: d.Message}
	num := func(v int64) number {
		if d.V1 {
			return number(strconv.Quote(strconv.FormatInt(v, 10)))
		}
		return number(strconv.FormatInt(v, 10))
	}
	w.ExpiresIn, w.Interval = num(d.ExpiresIn), num(d.Interval)
	if d.V1 {
		w.VerificationURL = d.VerificationURI
	} else {
		w.VerificationURI = d.VerificationURI
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads both spellings.
func (d *DeviceCode) UnmarshalJSON(b []byte) error {
	var w wireDeviceCode
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*d = DeviceCode{UserCode: w.UserCode, DeviceCode: w.DeviceCode, VerificationURI: w.VerificationURI, Message: w.Message}
	if w.VerificationURL != "" {
		d.VerificationURI, d.V1 = w.VerificationURL, true
	}
	var err error
	if d.ExpiresIn, err = w.ExpiresIn.value(); err != nil {
		return err
	}
	d.Interval, err = w.Interval.value()
	return err
}

// userCodeAlphabet has no vowels, so that codes spell no words, and none of
// the characters that are taken for another (RFC 8628 6.1).
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ23456789"

// userCodeLength is that of the real service's codes.
const userCodeLength = 9

// UserCode makes a code for the user to type from random bytes.
func UserCode(random [32]byte) string {
	out := make([]byte, userCodeLength)
	for i := range out {
		out[i] = userCodeAlphabet[int(random[i])%len(userCodeAlphabet)]
	}
	return string(out)
}
