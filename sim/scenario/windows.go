package scenario

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed windows.yaml
var windowsData []byte

// Release is a feature update of Windows.
type Release struct {
	Product  string `yaml:"product"`  // "Windows 11"
	Version  string `yaml:"version"`  // "25H2"; Windows 10 and 11 share some
	Build    int    `yaml:"build"`    // 26200
	Revision int    `yaml:"revision"` // of the first build that everybody got
	HomePro  string `yaml:"homePro"`  // day of the last update, 2006-01-02
	Business string `yaml:"enterpriseEducation"`
	Source   string `yaml:"source"`
	Mark     string `yaml:"mark"`
}

type editionData struct {
	Name         string `yaml:"name"`
	Family       string `yaml:"family"`
	Preprovision bool   `yaml:"preprovision"`
}

type windowsTable struct {
	Releases []Release     `yaml:"releases"`
	Editions []editionData `yaml:"editions"`
}

var windows = sync.OnceValue(func() windowsTable {
	var t windowsTable
	if err := yaml.UnmarshalWithOptions(windowsData, &t, yaml.DisallowUnknownField()); err != nil {
		panic("scenario: the embedded windows.yaml is broken: " + err.Error())
	}
	return t
})

// Releases lists the releases of Windows, oldest first.
func Releases() []Release { return windows().Releases }

// Build is a build of Windows with its revision, "26200.6584". In a file it
// may be a release, "25H2", or a build alone; both mean the release's first.
type Build string

var buildForm = regexp.MustCompile(`^([0-9]{5})(?:\.([0-9]{1,6}))?$`)

// UnmarshalText reads a build and refuses one of no known release.
func (b *Build) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	m := buildForm.FindStringSubmatch(s)
	for i := len(Releases()) - 1; i >= 0; i-- { // 22H2 is Windows 11's unless it says otherwise
		r := Releases()[i]
		switch {
		case m != nil && m[1] == strconv.Itoa(r.Build) && m[2] != "":
			*b = Build(s)
			return nil
		case m != nil && m[1] == strconv.Itoa(r.Build), strings.EqualFold(s, r.Version), strings.EqualFold(s, r.Product+" "+r.Version):
			*b = Build(fmt.Sprintf("%d.%d", r.Build, r.Revision))
			return nil
		}
	}
	var known []string
	for _, r := range Releases() {
		known = append(known, fmt.Sprintf("%s %s (%d)", r.Product, r.Version, r.Build))
	}
	return fmt.Errorf("%q is no build of Windows that is known here; write one such as \"26200.6584\" of %s", s, strings.Join(known, ", "))
}

// MarshalText gives the build.
func (b Build) MarshalText() ([]byte, error) { return []byte(b), nil }

// Release finds the release that a build belongs to.
func (b Build) Release() (Release, bool) {
	number, _, _ := strings.Cut(string(b), ".")
	for _, r := range Releases() {
		if strconv.Itoa(r.Build) == number {
			return r, true
		}
	}
	return Release{}, false
}

// Edition is an edition of Windows.
type Edition string

// Editions of Windows.
const (
	EditionHome       Edition = "Home"
	EditionPro        Edition = "Pro"
	EditionEnterprise Edition = "Enterprise"
	EditionEducation  Edition = "Education"
)

func (Edition) choices() []string { return []string{"Home", "Pro", "Enterprise", "Education"} }

// CanPreprovision reports whether the edition is one that pre-provisioning
// takes (learn.microsoft.com/autopilot/pre-provision, requirements).
func (e Edition) CanPreprovision() bool {
	for _, x := range windows().Editions {
		if x.Name == string(e) {
			return x.Preprovision
		}
	}
	return false
}

// EndOfService is the first moment at which an installation gets no updates
// any more: midnight UTC after the day of the last one. ok is false for a
// build of no known release.
func (w Windows) EndOfService() (t time.Time, ok bool) {
	r, ok := w.Build.Release()
	if !ok {
		return time.Time{}, false
	}
	last := r.HomePro
	for _, x := range windows().Editions {
		if x.Name == string(w.Edition) && x.Family == "enterpriseEducation" {
			last = r.Business
		}
	}
	t, err := time.Parse(time.DateOnly, last)
	return t.Add(day), err == nil
}

// Supported reports whether the installation still gets updates at a moment.
func (w Windows) Supported(at time.Time) bool {
	end, ok := w.EndOfService()
	return ok && at.Before(end)
}
