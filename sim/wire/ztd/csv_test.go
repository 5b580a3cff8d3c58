package ztd_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/problem"
	"windtunnel.test/sim/wire/ztd"
)

// hash makes the hash of a PC with this serial number.
func hash(serial string) string {
	text, err := hwhash.EncodeBase64(hwhash.Hardware{SMBIOS: hwhash.SMBIOS{Serial: serial}})
	if err != nil {
		panic(err)
	}
	return text
}

const header = "Device Serial Number,Windows Product ID,Hardware Hash"

func Example() {
	file := header + ",Group Tag\n" + "PC-1,," + hash("PC-1") + ",bench\n"
	rows, err := ztd.ReadCSV("devices.csv", strings.NewReader(file))
	fmt.Println(len(rows), err, rows[0].GroupTag, rows[0].Hardware.SMBIOS.Serial)

	_, err = ztd.ReadCSV("devices.csv", strings.NewReader(header+"\nPC-1,,T0FF\"\nPC-2,,T0FFQQ\n"))
	fmt.Println(err)
	// Output:
	// 1 <nil> bench PC-1
	// devices.csv:2:11: quote in "Hardware Hash"; remove it, values are written without quotes
	// devices.csv:3:7: the hardware hash is not base64: padding is missing or wrong, pad with '=' to a multiple of four characters
}

func TestReadCSV(t *testing.T) {
	h1, h2 := hash("A"), hash("B")
	cases := map[string]struct {
		file string
		want []string // LINE:COL and a part of the message, in order; none means that the file is good
	}{
		"three columns":  {header + "\nA,," + h1 + "\nB,," + h2, nil},
		"CR LF":          {header + ",Group Tag,Assigned User\r\nA,," + h1 + ",t,u@x.y\r\n", nil},
		"user, no tag":   {header + ",Assigned User\nA,," + h1 + ",u@x.y\n", nil},
		"empty":          {"", []string{"1:1 empty"}},
		"header only":    {header + "\n", []string{"2:1 no device"}},
		"BOM":            {"\xef\xbb\xbf" + header + "\nA,," + h1, []string{"1:1 byte order mark"}},
		"UTF-16 LE":      {"\xff\xfeD\x00e\x00", []string{"1:1 UTF-16"}},
		"UTF-16 bare":    {"D\x00e\x00v\x00", []string{"1:1 UTF-16"}},
		"quoted header":  {`"Device Serial Number","Windows Product ID","Hardware Hash"` + "\n", []string{"1:1 quotes"}},
		"header case":    {"Device serial number,Windows Product ID,Hardware Hash\nx", []string{`1:1 must be written "Device Serial Number"`}},
		"header title":   {"Device Serial Number,Key,Hardware Hash \nx", []string{`1:22 must be "Windows Product ID"`, "1:26 must be written"}},
		"missing":        {"Device Serial Number\nx", []string{"1:22 \"Windows Product ID\" is missing", "1:22 \"Hardware Hash\" is missing"}},
		"extra column":   {header + ",Group Tag,Assigned User,More\nx", []string{"1:79 extra column"}},
		"tag after user": {header + ",Assigned User,Group Tag\nx", []string{"1:55", "1:69"}},
		"few values":     {header + "\nA," + h1, []string{"2:4003 has 2 columns"}},
		"many values":    {header + "\nA,," + h1 + ",x", []string{"2:4005 4 columns"}},
		"empty line":     {header + "\n\nA,," + h1, []string{"2:1 empty line"}},
		"no serial":      {header + "\n,," + h1, []string{"2:1 serial number is empty"}},
		"no hash":        {header + "\nA,,", []string{"2:4 hash is empty"}},
		"spaces":         {header + "\nA ,," + h1, []string{"2:1 spaces"}},
		"invisible":      {header + "\nA\u200b,," + h1, []string{"2:2 invisible character U+200B"}},
		"latin-1":        {header + ",Group Tag\nA,," + h1 + ",B\xfcro", []string{"2:4005 not UTF-8"}},
		"malformed":      {header + "\nA,,T0FFQQ==", []string{"2:4 malformed at byte 4"}},
		"user":           {header + ",Assigned User\nA,," + h1 + ",bob", []string{"2:4005 user principal name"}},
		"same hash":      {header + "\nA,," + h1 + "\nB,," + h1, []string{"3:1 hash is also in line 2"}},
		"same serial":    {header + "\nA,," + h1 + "\na,," + h2, []string{"3:1 serial number"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			rows, err := ztd.ReadCSV("f.csv", strings.NewReader(c.file))
			if c.want == nil {
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(rows).NotTo(gomega.BeEmpty())
				return
			}
			g.Expect(rows).To(gomega.BeNil())
			_, ok := problem.From(err)
			g.Expect(ok).To(gomega.BeTrue(), "%v", err)
			text := err.Error()
			for _, w := range c.want {
				place, message, _ := strings.Cut(w, " ")
				if !strings.Contains(place, ":") {
					message = w
				} else {
					g.Expect(text).To(gomega.ContainSubstring("f.csv:" + place + ":"))
				}
				g.Expect(text).To(gomega.ContainSubstring(message))
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	g := gomega.NewWithT(t)
	file := header + "\n" + strings.Repeat("A,,x\n", 30)
	_, err := ztd.ReadCSV("f.csv", strings.NewReader(file))
	list, _ := problem.From(err)
	g.Expect(list).To(gomega.HaveLen(30))
	g.Expect(err.Error()).To(gomega.HaveSuffix("and 10 more"))
}

func TestOver500Rows(t *testing.T) {
	g := gomega.NewWithT(t)
	var rows []ztd.Row
	for i := range ztd.MaxRows + 1 {
		s := fmt.Sprintf("PC-%d", i)
		rows = append(rows, ztd.Row{Serial: s, Hash: hash(s)})
	}
	var file bytes.Buffer
	g.Expect(ztd.WriteCSV(&file, rows)).To(gomega.Succeed())
	_, err := ztd.ReadCSV("f.csv", bytes.NewReader(file.Bytes()))
	g.Expect(err).To(gomega.MatchError("f.csv:502:1: there are more than 500 devices; split the file"))

	file.Reset()
	g.Expect(ztd.WriteCSV(&file, rows[1:])).To(gomega.Succeed())
	back, err := ztd.ReadCSV("f.csv", &file)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.HaveLen(ztd.MaxRows))
	g.Expect(back[499].Serial).To(gomega.Equal("PC-500"))
}

func TestReadErrorsAreNotProblems(t *testing.T) {
	g := gomega.NewWithT(t)
	broken := errors.New("broken")
	_, err := ztd.ReadCSV("f.csv", iotest.ErrReader(broken))
	g.Expect(err).To(gomega.MatchError(broken))
	_, ok := problem.From(err)
	g.Expect(ok).To(gomega.BeFalse())
	_, err = ztd.ReadCSV("f.csv", strings.NewReader(strings.Repeat("x", 5<<20)))
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("split it")))
}

func TestWriteCSV(t *testing.T) {
	g := gomega.NewWithT(t)
	var b bytes.Buffer
	g.Expect(ztd.WriteCSV(&b, []ztd.Row{{Serial: "A", Hash: "h", AssignedUser: "u@x"}, {Serial: "B", Hash: "i"}})).To(gomega.Succeed())
	g.Expect(b.String()).To(gomega.Equal(header + ",Assigned User\r\nA,,h,u@x\r\nB,,i,\r\n"))
	g.Expect(ztd.WriteCSV(&b, []ztd.Row{{Serial: "A,B"}})).To(gomega.MatchError(gomega.ContainSubstring("comma")))
}

func FuzzReadCSV(f *testing.F) {
	f.Add(header + "\nA,,x\n")
	f.Add(header + ",Group Tag\r\n\"A\",," + "\xff\n\n")
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := ztd.ReadCSV("f", strings.NewReader(file))
		if err != nil && rows != nil {
			t.Fatal("rows with an error")
		}
		if list, ok := problem.From(err); ok {
			for _, p := range list {
				if p.Message == "" || p.Line < 0 {
					t.Fatalf("problem without place or message: %+v", p)
				}
			}
		}
	})
}
