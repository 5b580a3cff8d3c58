package diag

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/evtx"
	"windtunnel.test/sim/wire/ztd"
)

// Names in the package that others look for.
const (
	RegistryDump = "MdmDiagReport_RegistryDump.reg"
	ReportXML    = "MDMDiagReport.xml"
	ReportHTML   = "MDMDiagHtmlReport.html"
	Metadata     = "MdmDiagLogMetadata.json"
	Profile      = "AutopilotDDSZTDFile.json"
	Join         = "dsregcmd.txt"
	TPMInfo      = "TpmTool_Output.txt"
	Footprint    = "MdmLogCollectorFootPrint.txt"
	BootLogName  = "MeasuredBoot.log"
)

// Collect writes the package of a PC to out.
func Collect(out io.Writer, s Source) error {
	p := &archive{zip: zip.NewWriter(out), taken: s.zone().Local(s.Taken)}
	l := logsOf(s)
	p.add(RegistryDump, registryFile(s.Disk.Registry))
	report := reportOf(s)
	p.make(ReportXML, report.xml)
	p.make(ReportHTML, report.html)
	p.make("DeviceHash_"+s.Computer+".csv", func() ([]byte, error) {
		var b bytes.Buffer
		err := ztd.WriteCSV(&b, []ztd.Row{s.row()})
		return b.Bytes(), err
	})
	if profile, ok := s.Disk.Files.Read(device.FileProfile); ok {
		p.add(Profile, profile)
	}
	p.add(Join, []byte(DSRegCmd(s)))
	p.add(TPMInfo, []byte(tpmTool(s)))
	if len(s.BootLog) > 0 {
		p.add(BootLogName, s.BootLog)
	}
	for _, name := range l.names {
		p.add(base(name), l.files[name].Bytes())
	}
	for _, c := range l.channels() {
		events := l.records[c.name]
		p.make(c.fileName()+".evtx", func() ([]byte, error) { return evtx.Encode(events) })
		if len(events) == 0 {
			continue
		}
		p.make(c.fileName()+".xml", func() ([]byte, error) {
			var b bytes.Buffer
			err := evtx.WriteXML(&b, events)
			return b.Bytes(), err
		})
		p.make(c.fileName()+".jsonl", func() ([]byte, error) { return jsonLines(events) })
	}
	p.make(Metadata, func() ([]byte, error) { return metadata(s, l) })
	p.add(Footprint, []byte(strings.Join(append(slices.Clone(p.names), Footprint), "\r\n")+"\r\n"))
	if p.err == nil {
		p.err = p.zip.Close()
	}
	if p.err != nil {
		return fmt.Errorf("diagnostics of %s: %w", s.Name, p.err)
	}
	return nil
}

// archive is the zip that is being written; its first error stays.
type archive struct {
	zip   *zip.Writer
	taken time.Time // local: that is what a zip has
	names []string
	err   error
}

func (p *archive) add(name string, content []byte) {
	p.make(name, func() ([]byte, error) { return content, nil })
}

func (p *archive) make(name string, content func() ([]byte, error)) {
	if p.err != nil {
		return
	}
	b, err := content()
	if err == nil {
		var w io.Writer
		if w, err = p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.taken}); err == nil {
			_, err = w.Write(b)
		}
	}
	if err != nil {
		p.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	p.names = append(p.names, name)
}

// channels are the known ones, and others that the PC has written to.
func (l *logs) channels() []channel {
	list := slices.Clone(channels)
	var more []string
	for name := range l.records {
		if !slices.ContainsFunc(list, func(c channel) bool { return c.name == name }) {
			more = append(more, name)
		}
	}
	slices.Sort(more)
	for _, name := range more {
		list = append(list, channel{name: name, provider: name})
	}
	return list
}

// metadata is MdmDiagLogMetadata.json. Its members are our model: the tool's
// are not public.
func metadata(s Source, l *logs) ([]byte, error) {
	records := map[string]int{}
	for name, events := range l.records {
		records[name] = len(events)
	}
	m := struct {
		Areas    string         `json:"areas"`
		Computer string         `json:"computerName"`
		Serial   string         `json:"serialNumber"`
		Build    string         `json:"osBuild"`
		Edition  string         `json:"osEdition"`
		Zone     string         `json:"timeZone"`
		Taken    time.Time      `json:"collectedUtc"`
		Since    *time.Time     `json:"logsSinceUtc"` // null: nobody has kept the logs
		Records  map[string]int `json:"eventRecords"`
		Lines    int            `json:"logLines"`
	}{"Autopilot;TPM", s.Computer, s.Serial, s.Installation.Build, s.Installation.Edition, s.zone().Name, s.Taken.UTC(), nil, records, l.lines}
	if !l.since.IsZero() {
		m.Since = &l.since
	}
	return json.MarshalIndent(m, "", "  ")
}
