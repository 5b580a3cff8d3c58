// Command seedrules lists the rules of the pre-provisioning page that no spec
// witnesses: a spec witnesses a rule by carrying its number as a label,
// Label("SR-15").
package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed rules.txt
var rules string

var label = regexp.MustCompile(`"(SR-\d\d)"`)

func main() {
	witnessed, err := witnesses("scenarios")
	if err != nil {
		fmt.Fprintln(os.Stderr, "seedrules:", err)
		os.Exit(1)
	}
	missing, total := 0, 0
	for lines := bufio.NewScanner(strings.NewReader(rules)); lines.Scan(); {
		id, text, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(id, "SR-") {
			continue
		}
		total++
		if !witnessed[id] {
			missing++
			fmt.Printf("%s  %s\n", id, text)
		}
	}
	fmt.Printf("%d of %d rules have a witness\n", total-missing, total)
}

// witnesses reads the labels of all specs below dir.
func witnesses(dir string) (map[string]bool, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range label.FindAllSubmatch(src, -1) {
			found[string(m[1])] = true
		}
		return nil
	})
	return found, err
}
