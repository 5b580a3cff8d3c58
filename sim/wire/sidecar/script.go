package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Script is one element of a PolicyRequest answer: a PowerShell script to be run. The answer's payload is plain JSON, not
// packed (secureworks/pytune). The members are those of the agent's "Get policies" log line, as far as we fill them.
type Script struct {
	AccountID             string  `json:"AccountId"` // tenant
	PolicyID              string  `json:"PolicyId"`
	PolicyType            int     `json:"PolicyType"` // 1 a script
	SchemaVersion         string  `json:"DocumentSchemaVersion"`
	PolicyHash            string  `json:"PolicyHash"` // base64 of SHA-256; which digest the service takes is our model
	PolicyBody            string  `json:"PolicyBody"` // the script's text
	EncryptedPolicyBody   *string `json:"EncryptedPolicyBody"`
	PolicyBodySize        *int    `json:"PolicyBodySize"`
	ScriptParameters      *string `json:"PolicyScriptParameters"`
	ContentSignature      *string `json:"ContentSignature"`
	IsTombStoned          bool    `json:"isTombStoned"`
	IsRecurring           bool    `json:"isRecurring"`
	IsFullSync            bool    `json:"isFullSync"`
	ExecutionContext      int     `json:"ExecutionContext"` // 0 system, 1 user
	InternalVersion       int     `json:"InternalVersion"`
	EnforceSignatureCheck int     `json:"EnforceSignatureCheck"`
	RunningMode           int     `json:"RunningMode"` // 0 64 bits, 1 32 bits
	RemediationScript     *string `json:"RemediationScript"`
	RunRemediation        bool    `json:"RunRemediation"`
}

// EncodeScripts writes the payload of a PolicyRequest or GetScript answer.
func EncodeScripts(scripts []Script) (string, error) {
	if scripts == nil {
		scripts = []Script{}
	}
	text, err := json.Marshal(scripts)
	if err != nil {
		return "", fmt.Errorf("sidecar: scripts: %w", err)
	}
	return string(text), nil
}

// DecodeScripts reads it. What the scripts point to is shared with others who read
// the same payload and must not be written to.
func DecodeScripts(payload string) ([]Script, error) {
	if list, ok := scripts.get(payload); ok {
		return slices.Clone(list), nil
	}
	var list []Script
	if err := unmarshal("scripts", []byte(payload), &list); err != nil {
		return list, err
	}
	scripts.put(payload, slices.Clone(list))
	return list, nil
}

// ApplicationRequest is the payload of a RequestApplication: a user wants an app that is available. Our model.
type ApplicationRequest struct {
	ApplicationID string `json:"ApplicationId"`
}

// DecodeApplicationRequest reads it; it refuses one that names no app.
func DecodeApplicationRequest(payload string) (ApplicationRequest, error) {
	var r ApplicationRequest
	if err := unmarshal("application request", []byte(payload), &r); err != nil {
		return r, err
	}
	if r.ApplicationID == "" {
		return r, errors.New("sidecar: application request: no ApplicationId")
	}
	return r, nil
}
