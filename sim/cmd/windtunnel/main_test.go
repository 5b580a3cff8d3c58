package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/ztd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"windtunnel": main})
}

// TestScript runs a script for each verb.
func TestScript(t *testing.T) {
	tiny, hashes := tinyScenario(t), hashCSV(t, "IMPORT1", "IMPORT2", "IMPORT3")
	images := t.TempDir() // TPM images, made once for all scripts
	repository, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	caches, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	gocache, modules, _ := strings.Cut(strings.TrimSpace(string(caches)), "\n")
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", images)
			e.Setenv("REPOSITORY", repository)
			e.Setenv("GOCACHE", gocache)
			e.Setenv("GOMODCACHE", modules)
			e.Setenv("GOFLAGS", "-mod=readonly")
			if err := os.WriteFile(filepath.Join(e.WorkDir, "hashes.csv"), hashes, 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "tiny.yaml"), tiny, 0o644)
		},
	})
}

// tinyScenario is the built-in one with two PCs.
func tinyScenario(t *testing.T) []byte {
	t.Helper()
	s, err := load("", false)
	if err != nil {
		t.Fatal(err)
	}
	s.Name, s.Cells, s.Expect = "tiny", 1, nil
	s, problems := s.Resolve(scenario.Flags{Devices: 2})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := scenario.Marshal(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// hashCSV is what Get-WindowsAutopilotInfo would write about PCs with these
// serial numbers.
func hashCSV(t *testing.T, serials ...string) []byte {
	t.Helper()
	var rows []ztd.Row
	for i, serial := range serials {
		hash, err := hwhash.EncodeBase64(hwhash.Hardware{
			SMBIOS: hwhash.SMBIOS{UUID: hwhash.UUID{1, byte(i)}, Serial: serial, Manufacturer: "Fabrikam", Product: "FieldBook 13"},
			NICs:   []hwhash.NIC{{Medium: hwhash.MediumEthernet, MAC: [6]byte{2, 0, 0, 0, 0, byte(i)}}},
			Disks:  []hwhash.Disk{{SizeGiB: 256, Bus: hwhash.BusNVMe, Serial: "D" + serial}},
		})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, ztd.Row{Serial: serial, Hash: hash})
	}
	var b bytes.Buffer
	if err := ztd.WriteCSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
