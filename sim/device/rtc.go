package device

import "time"

// RTC is the firmware clock: true time plus an offset and a drift. Windows
// reads it at boot and goes on from it until a time server sets it right.
type RTC struct {
	Offset time.Duration `json:"offset"` // at Set
	Drift  float64       `json:"drift"`  // seconds gained a second
	Set    time.Time     `json:"set"`    // true time at which Offset was exact
}

// Read gives what the firmware clock shows at a true time.
func (c RTC) Read(truth time.Time) time.Time {
	if c.Offset == 0 && c.Drift == 0 {
		return truth
	}
	return truth.Add(c.Offset + time.Duration(float64(truth.Sub(c.Set))*c.Drift))
}

// Adjust sets the clock so that it shows shown at the true time truth. The
// drift is the crystal's and stays.
func (c *RTC) Adjust(truth, shown time.Time) {
	c.Offset, c.Set = shown.Sub(truth), truth
}
