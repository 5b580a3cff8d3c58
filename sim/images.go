package sim

import (
	"maps"
	"slices"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// Chips are the TPM chips of a scenario's PCs, whose images a run of it needs.
func Chips(s *scenario.Scenario) []vtpm.ChipID {
	all := s.Devices()
	ids := make([]vtpm.ChipID, 0, len(all))
	for _, d := range all {
		if id := chipOf(d); id != (vtpm.ChipID{}) {
			ids = append(ids, id)
		}
	}
	return ids
}

// ModelImages says how many images of a model's chips a run has made, and how
// many were there.
type ModelImages struct {
	Model string `json:"model"`
	Made  int    `json:"made"`
	Found int    `json:"found"`
}

// images sums up by model, from what the lab had made before and after.
func (t *TPMStats) images(ids []vtpm.ChipID, before, after map[string]int) {
	needed := map[string]int{}
	for _, id := range ids {
		needed[id.Model]++
	}
	for _, model := range slices.Sorted(maps.Keys(needed)) {
		m := ModelImages{Model: model, Made: after[model] - before[model]}
		m.Found = max(0, needed[model]-m.Made)
		t.ImagesMade += m.Made
		t.ImagesFound += m.Found
		t.Images = append(t.Images, m)
	}
}
