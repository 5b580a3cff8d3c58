package figure

import (
	"strconv"
	"time"
)

// Outcome is how an arrival or a step ended.
type Outcome struct {
	HRESULT string // as Windows shows it, "0x80190190"; "" where nothing failed
	Status  int    // the HTTP status that decided, 0 where there was none
	Error   string // the cause, for samples only: nothing is counted by it
}

// OK tells whether it went well.
func (o Outcome) OK() bool { return o.HRESULT == "" && (o.Status == 0 || o.Status/100 == 2) }

// Class is what outcomes are counted by: "ok", a HRESULT, or "HTTP 429".
func (o Outcome) Class() string {
	switch {
	case o.OK():
		return "ok"
	case o.HRESULT != "":
		return o.HRESULT
	}
	return "HTTP " + strconv.Itoa(o.Status)
}

// Step is a part of an arrival: one exchange with a service, or something of
// larger grain.
type Step struct {
	Name           string // "aik.PKIOperation"
	Begin, End     time.Time
	Outcome        Outcome
	Sent, Received int64 // bytes of bodies
}

// Arrival is one device that came, and what became of it.
type Arrival struct {
	N      int
	Scope  string
	Device string
	Bad    string // the kind of misbehaviour; "" is an honest device

	Intended, Started, Ended time.Time
	Outcome                  Outcome
	Steps                    []Step
	Warm                     bool // came during the warm-up, which is not counted
	Refused                  bool // a misbehaving one that was refused, as it must be
}

// Gauges are what the engine and the machine showed at the end of a second.
type Gauges struct {
	InFlight   int           `json:"inFlight"`   // have a device
	Waiting    int           `json:"waiting"`    // for a device
	Free       int           `json:"free"`       // devices that stand ready
	Lag        time.Duration `json:"lag"`        // the worst of this second, of real start after intended start
	Target     float64       `json:"target"`     // asked rate, arrivals a second
	CPU        float64       `json:"cpu"`        // cores that this process used
	EngineBusy float64       `json:"engineBusy"` // cores that TPM engines used
	Queue      int           `json:"queue"`      // TPM commands that wait for an engine
	Heap       uint64        `json:"heap"`       // bytes
}
