package starter

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// direct are the modules that the written spec names itself.
var direct = []string{"github.com/onsi/ginkgo/v2", "github.com/onsi/gomega"}

// module is go.mod and go.sum of a module that has specs, with the versions of
// the checkout and all its checksums: `go doc` wants those of modules too that
// nothing here is built from.
func module(checkout, name string) (mod, sum []byte, err error) {
	if !isCheckout(checkout) {
		return nil, nil, fmt.Errorf("%s is no checkout of %s", checkout, modulePath)
	}
	text, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		return nil, nil, err
	}
	sum, err = os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		return nil, nil, err
	}
	language, versions := parse(string(text))
	var b, own, others strings.Builder
	for _, path := range needed() {
		version := versions[path]
		if version == "" {
			return nil, nil, fmt.Errorf("go.mod of %s does not require %s: it is of another version than this program", checkout, path)
		}
		if slices.Contains(direct, path) {
			fmt.Fprintf(&own, "\t%s %s\n", path, version)
		} else {
			fmt.Fprintf(&others, "\t%s %s // indirect\n", path, version)
		}
	}
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\n", name, language)
	fmt.Fprintf(&b, "// %s is published nowhere: this is where it was checked out.\nreplace %[1]s => %s\n\n", modulePath, quote(checkout))
	fmt.Fprintf(&b, "require (\n%s\t%s v0.0.0\n)\n\nrequire (\n%s)\n\ntool github.com/onsi/ginkgo/v2/ginkgo\n", &own, modulePath, &others)
	return []byte(b.String()), sum, nil
}

// quote writes a path as go.mod takes it.
func quote(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},") {
		return fmt.Sprintf("%q", path)
	}
	return path
}

// needed are the modules whose packages package spec and Ginkgo's command are
// built from.
func needed() []string {
	text, _ := files.ReadFile("files/modules.txt") // it is embedded
	return strings.Fields(string(text))
}

// parse reads the version of Go and the required modules of a go.mod.
func parse(text string) (language string, versions map[string]string) {
	versions = map[string]string{}
	in := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == ")":
			in = ""
		case len(words) == 2 && words[1] == "(":
			in = words[0]
		case words[0] == "go" && in == "":
			language = words[1]
		case words[0] == "require" && len(words) > 2:
			versions[words[1]] = words[2]
		case in == "require" && len(words) > 1:
			versions[words[0]] = words[1]
		}
	}
	return language, versions
}
