package sim

import (
	"bytes"
	"fmt"
	"slices"

	"windtunnel.test/sim/wire/ztd"
)

// HashCSV exports the PCs that are to be registered in the CSV format of
// Get-WindowsAutopilotInfo, in files of as many rows as the portal takes, and
// says how many PCs there are.
func (w *World) HashCSV() ([][]byte, int, error) {
	var rows []ztd.Row
	for _, s := range w.stories {
		if s.Unregistered {
			continue
		}
		row, err := s.pc.Row(w.Clock.Now())
		if err != nil {
			return nil, 0, err
		}
		row.GroupTag, row.AssignedUser = s.GroupTag, s.AssignedUser
		rows = append(rows, row)
	}
	var files [][]byte
	for part := range slices.Chunk(rows, ztd.MaxRows) {
		var file bytes.Buffer
		if err := ztd.WriteCSV(&file, part); err != nil {
			return nil, 0, fmt.Errorf("export hardware hashes: %w", err)
		}
		files = append(files, file.Bytes())
	}
	return files, len(rows), nil
}
