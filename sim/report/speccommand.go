package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// SpecCommand is how a spec is run again, in its own module.
type SpecCommand struct {
	Seed    uint64
	Package string // import path
	Focus   string // Ginkgo's, a regular expression
}

// specSeed is the environment variable that sets every spec's seed.
const specSeed = "WINDTUNNEL_SEED"

// String is the command for a shell.
func (c SpecCommand) String() string {
	return fmt.Sprintf("%s=%d go test %s -ginkgo.focus '%s'", specSeed, c.Seed, c.Package, strings.ReplaceAll(c.Focus, "'", `'\''`))
}

// Command is what is to be run, and what its environment gets.
func (c SpecCommand) Command() (args, env []string) {
	return []string{"go", "test", "-count=1", c.Package, "-ginkgo.focus", c.Focus}, []string{fmt.Sprintf("%s=%d", specSeed, c.Seed)}
}

var specForm = regexp.MustCompile(`(?s)^` + specSeed + `=([0-9]+) go test ([^ ']+) -ginkgo\.focus '(.*)'$`)

// ParseSpecCommand reads what String wrote.
func ParseSpecCommand(text string) (SpecCommand, error) {
	m := specForm.FindStringSubmatch(text)
	if m == nil || strings.HasPrefix(m[2], "-") {
		return SpecCommand{}, fmt.Errorf("%q is no command that runs a spec again", text)
	}
	seed, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		return SpecCommand{}, fmt.Errorf("seed %s: %w", m[1], err)
	}
	return SpecCommand{Seed: seed, Package: m[2], Focus: strings.ReplaceAll(m[3], `'\''`, "'")}, nil
}
