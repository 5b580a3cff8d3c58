package random_test

import (
	"fmt"

	"pgregory.net/rapid"
)

// chips are models of TPMs that somebody may have, and what state they may be
// in. They are few, since whoever runs this first has to make them.
var chips = []string{"intel-ptt", "amd-ftpm", "infineon-slb9670", "stm-st33htph", "nuvoton-npct750", "microsoft-vtpm"}

// fleet draws two to four PCs in one group or two.
func fleet(t *rapid.T, join string) obj {
	count := rapid.IntRange(2, 4).Draw(t, "PCs")
	first := count
	if often(t, "two groups", 40) {
		first = rapid.IntRange(1, count-1).Draw(t, "PCs of the first group")
	}
	var groups list
	for i, n := range []int{first, count - first} {
		if n > 0 {
			groups = append(groups, group(t, fmt.Sprintf("group %d", i+1), n, join))
		}
	}
	f := obj{"groups": groups}
	if often(t, "clock is wrong", 30) {
		f["devices"] = list{obj{"index": 1, "clock": obj{
			"offset": pick(t, "offset", "-3m", "4m", "-26h", "30d", "-400d"), "drift": pick(t, "drift", "0s", "2s", "-3s"),
		}}}
	}
	return f
}

func group(t *rapid.T, name string, count int, join string) obj {
	g := obj{
		"name": name, "count": count,
		"windows":   obj{"build": pick(t, "build", "25H2", "26100.7171", "26100.1742", "22631.2428", "22621.521"), "edition": pick(t, "edition", "Pro", "Enterprise", "Education", "Pro")},
		"flow":      pick(t, "flow", "preprovision", "preprovision", "user-driven"),
		"arrival":   pick(t, "arrival", "0s", "0s..2h", "1d"),
		"shelf":     pick(t, "shelf", "2h..3d", "30m", "1w", "5w"),
		"wireless":  pick(t, "wireless", "0%", "50%"),
		"bitLocker": often(t, "BitLocker", 70), "secureBoot": often(t, "Secure Boot", 90),
		"destinations": pick(t, "destination", "office", "home"),
	}
	if join == hybrid {
		g["destinations"], g["wireless"] = "office", "0%"
	}
	if often(t, "a model of TPM", 50) {
		g["tpms"] = pick(t, "TPM", chips...)
	}
	if often(t, "a state of the TPM", 15) {
		g["tpmState"] = pick(t, "state", "cleared", "lockedOut", "notReady")
	}
	if often(t, "a tag", 30) {
		g["groupTag"] = "drawn"
	}
	return g
}
