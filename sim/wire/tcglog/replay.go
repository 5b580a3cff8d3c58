package tcglog

import (
	"bytes"
	"errors"
	"fmt"
)

// PCRs is how many registers a PC's TPM has.
const PCRs = 24

// firstDynamic is the first register that begins with ones, being for a dynamic
// launch; those up to lastDynamic do (Platform TPM Profile 4.6.2).
const firstDynamic, lastDynamic = 17, 22

// What a log is refused for, beside its form.
var (
	ErrAlgorithm = errors.New("the log has no such bank")
	ErrDigest    = errors.New("a digest is not of its event's data")
)

// initial is the value of a register after a reset.
func initial(a Algorithm, pcr int) []byte {
	v := make([]byte, a.Size())
	if pcr >= firstDynamic && pcr <= lastDynamic {
		for i := range v {
			v[i] = 0xff
		}
	}
	return v
}

// Replay computes the registers of a bank as they are after all events of the
// log, and nothing else, were extended.
func (l *Log) Replay(a Algorithm) ([PCRs][]byte, error) {
	var out [PCRs][]byte
	at := -1
	for i, have := range l.Algorithms {
		if have == a {
			at = i
		}
	}
	if at < 0 || a.Size() == 0 {
		return out, fmt.Errorf("tcglog: replay %v: %w", a, ErrAlgorithm)
	}
	for pcr := range out {
		out[pcr] = initial(a, pcr)
	}
	h := a.Hash().New()
	for _, e := range l.Events {
		if e.Type == NoAction {
			continue // is told and not extended (10.4.5)
		}
		h.Reset()
		h.Write(out[e.PCR])
		h.Write(e.Digests[at].Value)
		out[e.PCR] = h.Sum(nil)
	}
	return out, nil
}

// Check looks whether the digests of a bank are of the data that stand beside
// them, where that can be told: a replay alone believes the digests and not the
// words.
func (l *Log) Check(a Algorithm) error {
	for i, e := range l.Events {
		if !e.Type.measuresData() {
			continue
		}
		for _, d := range e.Digests {
			if d.Algorithm == a && !bytes.Equal(d.Value, a.sum(e.Data)) {
				return fmt.Errorf("tcglog: event %d, %v in register %d: %w", i+1, e.Type, e.PCR, ErrDigest)
			}
		}
	}
	return nil
}
