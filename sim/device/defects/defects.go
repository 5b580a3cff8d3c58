package defects

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// Defect is a fault of some builds of Windows, by its name in defects.yaml.
type Defect string

// Faults that the devices ask for.
const (
	ReadsNoChain  Defect = "readsNoChain"
	WantsKeyID    Defect = "wantsKeyID"
	WantsEKAnyway Defect = "wantsEKAnyway"
	HangsOnTPM12  Defect = "hangsOnTPM12"
	DeafToJoin    Defect = "deafToJoin"
	LosesUpdates  Defect = "losesUpdates"
	NamesEnglish  Defect = "namesEnglish"

	LosesProfile Defect = "losesProfile"
	FailsUpdate  Defect = "failsUpdate"
	RedSuccess   Defect = "redSuccess"
	LockedReset  Defect = "lockedReset"

	AttestationTimesOut Defect = "attestationTimesOut"
	RefusesNewInfineon  Defect = "refusesNewInfineon"
	KeepsAttestation    Defect = "keepsAttestation"
	HangsOnAttestation  Defect = "hangsOnAttestation"
	HangsOnRestart      Defect = "hangsOnRestart"

	FailsUnseen        Defect = "failsUnseen"
	KeepsDefaultTime   Defect = "keepsDefaultTime"
	TimesByClock       Defect = "timesByClock"
	IdentifiesSlowly   Defect = "identifiesSlowly"
	InstallsNoPackages Defect = "installsNoPackages"
	EncryptsByDefault  Defect = "encryptsByDefault"
	RestartsForKiosk   Defect = "restartsForKiosk"
	CutsNames          Defect = "cutsNames"
	RefusesFirmware    Defect = "refusesFirmware"
	TypesAmerican      Defect = "typesAmerican"
	WaitsForNobody     Defect = "waitsForNobody"
	UpdatesAnyway      Defect = "updatesAnyway"
	ForgetsKiosk       Defect = "forgetsKiosk"
)

// Row is a fault and the builds that have it.
type Row struct {
	Name     Defect   `yaml:"name"`
	Does     string   `yaml:"does"` // in the place of what it should
	Issues   []string `yaml:"issues"`
	Branches []Branch `yaml:"branches"`
	Source   string   `yaml:"source"` // page
	Model    string   `yaml:"model"`  // what of it is ours, "" where nothing is
}

// Branch is a run of revisions of one build, or all builds up to one. Both ends
// are in it.
type Branch struct {
	Of    int    `yaml:"of"`    // build; 0: every one up to that of Until
	From  int    `yaml:"from"`  // first revision
	Until string `yaml:"until"` // last revision; where Of is 0: the last build, "18362.386"; "" is every later one
	Fixed string `yaml:"fixed"` // the update that mended it, "KB4517211"
}

//go:embed defects.yaml
var data []byte

var table = sync.OnceValue(func() map[Defect]Row {
	var list struct {
		Defects []Row `yaml:"defects"`
	}
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.Strict()); err != nil {
		panic("defects: the embedded defects.yaml is broken: " + err.Error())
	}
	rows := map[Defect]Row{}
	for _, r := range list.Defects {
		if _, twice := rows[r.Name]; twice {
			panic("defects: " + string(r.Name) + " is there twice")
		}
		for _, b := range r.Branches {
			if _, _, err := b.ends(); err != nil {
				panic(fmt.Sprintf("defects: %s: %v", r.Name, err))
			}
		}
		rows[r.Name] = r
	}
	return rows
})

// Has tells whether a build, "26200.6584", has a fault. What is no build has
// none, and a fault that is not in the table is nobody's.
func Has(build string, d Defect) bool {
	v, err := parse(build)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(table()[d].Branches, func(b Branch) bool {
		first, last, _ := b.ends()
		return !v.before(first) && !last.before(v)
	})
}

// Rows are all faults, by name.
func Rows() []Row {
	var rows []Row
	for _, r := range table() {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return rows
}

// version is a build of Windows.
type version struct{ build, revision int }

const newest = 1 << 30

func (v version) before(o version) bool {
	return v.build < o.build || v.build == o.build && v.revision < o.revision
}

// parse reads "26200.6584"; without a revision it is 0.
func parse(s string) (v version, err error) {
	build, revision, some := strings.Cut(s, ".")
	if v.build, err = strconv.Atoi(build); err != nil || !some {
		return v, err
	}
	v.revision, err = strconv.Atoi(revision)
	return v, err
}

// ends are the first and the last build of a branch.
func (b Branch) ends() (first, last version, err error) {
	switch {
	case b.Of == 0:
		if last, err = parse(b.Until); !strings.Contains(b.Until, ".") {
			last.revision = newest
		}
		return version{}, last, err
	case b.Until == "":
		return version{b.Of, b.From}, version{b.Of, newest}, nil
	}
	revision, err := strconv.Atoi(b.Until)
	return version{b.Of, b.From}, version{b.Of, revision}, err
}
