package oauth

import (
	"encoding/json"
	"fmt"
	"time"
)

// BulkRequest is the body of POST /webapp/bulkaadjtoken/begin: a token for a
// provisioning package. What open clients send; not documented.
type BulkRequest struct {
	PackageID string `json:"pid"`
	Name      string `json:"name"`
	Expires   string `json:"exp"` // see ExpiresAt
}

// bulkTimes are the forms of exp that clients send.
var bulkTimes = []string{"2006-01-02 15:04:05", "01/02/2006", "2006-01-02", time.RFC3339}

// ExpiresAt reads exp.
func (r BulkRequest) ExpiresAt() (time.Time, error) {
	for _, layout := range bulkTimes {
		if t, err := time.Parse(layout, r.Expires); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("oauth: %q is no date of a bulk token", r.Expires)
}

// States of a BulkAnswer.
const (
	BulkRunning = "Running"
	BulkDone    = "CompleteSuccess"
	BulkFailed  = "CompleteError"
)

// BulkAnswer answers begin and poll. ResultData is JSON in a string: a token
// answer, or an error.
type BulkAnswer struct {
	State      string  `json:"state"`
	FlowToken  string  `json:"flowToken,omitempty"`
	ResultData *string `json:"resultData"`
}

// NewBulkAnswer makes an answer with a result.
func NewBulkAnswer(state, flowToken string, result any) (BulkAnswer, error) {
	b, err := json.Marshal(result)
	if err != nil {
		return BulkAnswer{}, fmt.Errorf("oauth: bulk token: %w", err)
	}
	text := string(b)
	return BulkAnswer{State: state, FlowToken: flowToken, ResultData: &text}, nil
}
