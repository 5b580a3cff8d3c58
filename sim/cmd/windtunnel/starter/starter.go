package starter

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed files
var files embed.FS

// Names of what is written.
const (
	ScenarioName = "scenario.yaml"
	SpecName     = "first_test.go"
)

// ErrNotEmpty says that a folder has content.
var ErrNotEmpty = errors.New("it has content, which could be lost; give a new folder")

// Write fills a folder, which may be missing but must not have content, with a
// scenario and a module whose specs use the checkout.
func Write(dir, checkout string) error {
	switch list, err := os.ReadDir(dir); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(list) > 0:
		return fmt.Errorf("%s: %w", dir, ErrNotEmpty)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	mod, sum, err := module(checkout, nameFor(filepath.Base(abs)))
	if err != nil {
		return err
	}
	content := map[string][]byte{"go.mod": mod, "go.sum": sum}
	for to, from := range map[string]string{ScenarioName: "files/scenario.yaml", SpecName: "files/first_test.go.txt"} {
		if content[to], err = files.ReadFile(from); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// nameFor makes a module path of a folder's name.
func nameFor(folder string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, folder)
	if name = strings.Trim(name, "-"); name == "" {
		name = "specs"
	}
	return "example.com/" + name
}

// modulePath is this module's.
const modulePath = "windtunnel.test"

// Checkout finds the repository's root: the nearest folder with our go.mod
// above one of these; "" where there is none.
func Checkout(near ...string) string {
	for _, dir := range near {
		for dir != "" {
			if isCheckout(dir) {
				return dir
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return ""
}

func isCheckout(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	first, _, _ := strings.Cut(string(text), "\n")
	return err == nil && strings.TrimSpace(first) == "module "+modulePath
}
