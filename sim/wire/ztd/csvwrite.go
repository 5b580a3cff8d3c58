package ztd

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteCSV writes the file that Get-WindowsAutopilotInfo would: the optional columns only where a row needs them,
// lines ended by CR LF, no quotes. It fails on values that the format cannot hold.
func WriteCSV(w io.Writer, rows []Row) error {
	columns := slices.Clone(headers[0])
	if slices.ContainsFunc(rows, func(r Row) bool { return r.GroupTag != "" }) {
		columns = append(columns, colTag)
	}
	if slices.ContainsFunc(rows, func(r Row) bool { return r.AssignedUser != "" }) {
		columns = append(columns, colUser)
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\r\n", strings.Join(columns, ","))
	for i, r := range rows {
		values := map[string]string{colSerial: r.Serial, colProduct: r.ProductID, colHash: r.Hash, colTag: r.GroupTag, colUser: r.AssignedUser}
		line := make([]string, len(columns))
		for k, title := range columns {
			if strings.ContainsAny(values[title], ",\"\r\n") {
				return fmt.Errorf("ztd: write CSV: device %d: %s %q holds a comma, quote or line break", i+1, title, values[title])
			}
			line[k] = values[title]
		}
		fmt.Fprintf(out, "%s\r\n", strings.Join(line, ","))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("ztd: write CSV: %w", err)
	}
	return nil
}
