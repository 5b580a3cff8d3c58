package sim

import "windtunnel.test/sim/wire/ztd"

// HashCSV exports the PCs that are to be registered in the CSV format of
// Get-WindowsAutopilotInfo, in files of as many rows as the portal takes, and
// says how many PCs there are.
func (w *World) HashCSV() ([][]byte, int, error) {
	rows, err := w.hashRows()
	if err != nil {
		return nil, 0, err
	}
	files, err := csvFiles(rows)
	return files, len(rows), err
}

func (w *World) hashRows() ([]ztd.Row, error) {
	var rows []ztd.Row
	for _, s := range w.stories {
		if s.Unregistered {
			continue
		}
		row, err := s.pc.Row(w.Clock.Now())
		if err != nil {
			return nil, err
		}
		row.GroupTag, row.AssignedUser = s.GroupTag, s.AssignedUser
		rows = append(rows, row)
	}
	return rows, nil
}
