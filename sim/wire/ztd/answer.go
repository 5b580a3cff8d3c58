package ztd

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The profile call, our model: POST https://ztd.dds.microsoft.com/ztd/v1/profile with the device ticket in a header
// (its name is from field notes). The answer is HTTP 200 with a Profile or a Negative, 401 when the ticket is not
// accepted, 429 or 503 with Retry-After when the service cannot answer now.
const (
	Path         = "/ztd/v1/profile"
	TicketHeader = "x-device-token"
)

// Request is the body of the profile call, our model. HardwareHash is normally empty: the service knows the hardware
// from the ticket.
type Request struct {
	HardwareHash string `json:"hardwareHash,omitempty"`
	Serial       string `json:"serial"`
	ProductKeyID string `json:"productKeyId,omitempty"`
	OSVersion    string `json:"osVersion"`
	ClientCV     string `json:"clientCv"`
}

// Negative is an answer without a profile. Codes and names are those that Windows logs in its Autopilot event channel
// (learn.microsoft.com, Autopilot troubleshooting FAQ); the JSON members are ours.
type Negative struct {
	Code int    `json:"code"`
	Name string `json:"name"`
}

// Error makes a negative answer usable as the cause of a failed step.
func (n Negative) Error() string { return fmt.Sprintf("ztd: no profile: %d %s", n.Code, n.Name) }

// Negative answers, by the event that Windows logs.
var (
	DeviceIsNotRegistered = Negative{807, "ZtdDeviceIsNotRegistered"}
	// ProfileDoesNotExist is event 809: the assigned profile was deleted without unassigning it. Windows prints the
	// same name for 809 and 815.
	ProfileDoesNotExist        = Negative{809, "ZtdDeviceHasNoAssignedProfile"}
	DeviceHasNoAssignedProfile = Negative{815, "ZtdDeviceHasNoAssignedProfile"}
	// HardwareMismatch is event 908: serial number or product key differ from the registration, as after a board swap.
	HardwareMismatch = Negative{908, "SerialNumberMismatch"}
)

// ParseAnswer reads the body of a 200 answer. A negative answer comes back as n, not as an error.
func ParseAnswer(body []byte) (p Profile, n *Negative, err error) {
	var neg struct {
		Code *int   `json:"code"`
		Name string `json:"name"`
	}
	if err := json.Unmarshal(body, &neg); err != nil {
		return Profile{}, nil, fmt.Errorf("ztd: parse profile answer: %w", err)
	}
	if neg.Code != nil {
		return Profile{}, &Negative{*neg.Code, neg.Name}, nil
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return Profile{}, nil, fmt.Errorf("ztd: parse profile: %w", err)
	}
	if p.CloudAssignedTenantID == "" {
		return Profile{}, nil, errors.New("ztd: parse profile: CloudAssignedTenantId is missing")
	}
	return p, nil, nil
}

// ImportError is the state.deviceErrorCode and deviceErrorName of an imported device identity. Partner Center's batch
// API shows the same numbers and names (learn.microsoft.com, "Get the status of a device batch upload").
type ImportError struct {
	Code int
	Name string
}

// Error prints both.
func (e ImportError) Error() string { return fmt.Sprintf("ztd: import error %d %s", e.Code, e.Name) }

// Import errors. The name of 809 and 810 is not published; ours says what the number means.
var (
	InvalidZtdRequestBody               = ImportError{801, "InvalidZtdRequestBody"}
	InvalidZtdHardwareHash              = ImportError{802, "InvalidZtdHardwareHash"}
	MissingZtdSerialNumberAndProductKey = ImportError{803, "MissingZtdSerialNumberAndProductKey"}
	ZtdDeviceAlreadyAssigned            = ImportError{806, "ZtdDeviceAlreadyAssigned"}
	ZtdDeviceIsNotRegistered            = ImportError{807, "ZtdDeviceIsNotRegistered"}
	ZtdDeviceAssignedToOtherTenant      = ImportError{808, "ZtdDeviceAssignedToOtherTenant"}
	ZtdProfileIsNotRegistered           = ImportError{809, "ZtdProfileIsNotRegistered"}
	ZtdProfileRegisteredByOtherTenant   = ImportError{810, "ZtdProfileRegisteredByOtherTenant"}
	ZtdDeviceRegisteredByOtherTenant    = ImportError{811, "ZtdDeviceRegisteredByOtherTenant"}
	ZtdDeviceNotFound                   = ImportError{812, "ZtdDeviceNotFound"}
	ZtdDeviceIsNotUnique                = ImportError{813, "ZtdDeviceIsNotUnique"}
	ZtdDeviceAlreadyAadRegistered       = ImportError{814, "ZtdDeviceAlreadyAadRegistered"}
)

// ImportErrors lists them by number.
func ImportErrors() []ImportError {
	return []ImportError{InvalidZtdRequestBody, InvalidZtdHardwareHash, MissingZtdSerialNumberAndProductKey,
		ZtdDeviceAlreadyAssigned, ZtdDeviceIsNotRegistered, ZtdDeviceAssignedToOtherTenant, ZtdProfileIsNotRegistered,
		ZtdProfileRegisteredByOtherTenant, ZtdDeviceRegisteredByOtherTenant, ZtdDeviceNotFound, ZtdDeviceIsNotUnique,
		ZtdDeviceAlreadyAadRegistered}
}
