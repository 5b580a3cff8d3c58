package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// temporary is how files begin that are not whole yet; a killed run may leave
// one.
const temporary = ".windtunnel-"

// empty removes what an earlier run has left in a folder. A folder that has
// anything else in it is left as it is.
func empty(path string) error {
	files, folders, err := leftovers(path)
	if err != nil {
		return err
	}
	for _, list := range [][]string{files, folders} { // a folder is empty by then
		for _, name := range list {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// leftovers lists the files of an earlier run, and the folders, innermost
// first. ErrForeign: something there is not a run's.
func leftovers(path string) (files, folders []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) == 0 {
		return nil, nil, err
	}
	head, err := os.ReadFile(filepath.Join(path, ScenarioName))
	if err != nil || !bytes.HasPrefix(head, []byte(mark)) {
		return nil, nil, ErrForeign
	}
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		switch {
		case e.IsDir() && e.Name() == DevicesName:
			f, d, err := timelines(name)
			if err != nil {
				return nil, nil, err
			}
			files, folders = append(files, f...), append(append(folders, d...), name)
		case e.Type().IsRegular() && isRunFile(e.Name()):
			files = append(files, name)
		default:
			return nil, nil, ErrForeign
		}
	}
	return files, folders, nil
}

func isRunFile(name string) bool {
	return name == ScenarioName || name == JournalName || name == SummaryName || name == PageName || name == RemainsName || name == ShrunkName || strings.HasPrefix(name, temporary)
}

// timelines lists what is in the folder "devices".
func timelines(path string) (files, folders []string, err error) {
	devices, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range devices {
		folder := filepath.Join(path, d.Name())
		if !d.IsDir() {
			return nil, nil, ErrForeign
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || (e.Name() != timelineName && filepath.Ext(e.Name()) != ".zip" && !strings.HasPrefix(e.Name(), temporary)) {
				return nil, nil, ErrForeign
			}
			files = append(files, filepath.Join(folder, e.Name()))
		}
		folders = append(folders, folder)
	}
	return files, folders, nil
}

// ErrForeign says that a folder has content that no run has left there.
var ErrForeign = errors.New("the folder is not empty and what is in it is not an earlier run's; nothing was changed")
