package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"windtunnel.test/sim/report"
	"windtunnel.test/sim/vtpm"
)

var tpmListVerb = &verb{
	name: "tpm list", short: "the images that there are",
	long: `
One line for each model and recipe. Images of an outdated recipe are those of
another version of windtunnel: nothing of this one uses them.

  windtunnel tpm list
  windtunnel tpm rm --outdated     removes what is not used any more`,
}

var tpmModelsVerb = &verb{
	name: "tpm models", short: "the vendor models that PCs can have",
	long: `
What a scenario can name in a group's tpms. EKs are the chip's endorsement keys,
each with the place of its certificate.

  windtunnel tpm models`,
}

func init() { tpmListVerb.run, tpmModelsVerb.run = runTPMList, runTPMModels }

// folderLine is a folder of images as --json prints it.
type folderLine struct {
	Model   string   `json:"model"`
	Recipe  string   `json:"recipe"`
	Current bool     `json:"current"`
	Images  int      `json:"images"`
	Numbers []string `json:"numbers"`
	Bytes   int64    `json:"bytes"`
	Dir     string   `json:"dir"`
}

func runTPMList(sh *shell) (int, error) {
	var dir string
	fs := sh.flags()
	cacheFlag(fs, &dir)
	if _, err := sh.parse(fs, 0); err != nil {
		return helped(err)
	}
	cache, err := vtpm.OpenCache(dir)
	if err != nil {
		return 0, err
	}
	folders, err := cache.Folders()
	if err != nil {
		return 0, err
	}
	list := []folderLine{}
	for _, f := range folders {
		list = append(list, folderLine{f.Model, f.Recipe, f.Current, len(f.Chips), ranges(f.Chips), f.Bytes, f.Dir})
	}
	if sh.json {
		return exitMet, sh.printJSON(map[string]any{"dir": cache.Dir(), "folders": list})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintf(sh.out, "No TPM images in %s\n", cache.Dir())
		return exitMet, err
	}
	w := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "model\trecipe\timages\tchips\ton disk\tfolder\n")
	for _, l := range list {
		recipe, chips := "current", strings.Join(l.Numbers[:min(3, len(l.Numbers))], " ")
		if !l.Current {
			recipe = "outdated"
		}
		if more := len(l.Numbers) - 3; more > 0 {
			chips += fmt.Sprintf(" and %d ranges more", more)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Model, recipe, report.Count(l.Images), chips, megabytes(l.Bytes), l.Dir)
	}
	return exitMet, w.Flush()
}

// ranges writes sorted numbers as "0..99".
func ranges(numbers []int) []string {
	list := []string{}
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i == j {
			list = append(list, fmt.Sprint(numbers[i]))
		} else {
			list = append(list, fmt.Sprintf("%d..%d", numbers[i], numbers[j]))
		}
		i = j + 1
	}
	return list
}

// modelLine is a vendor model as --json prints it.
type modelLine struct {
	Name     string   `json:"name"`
	Vendor   string   `json:"vendor"`
	Kind     string   `json:"kind"`
	Family   string   `json:"family"`
	EKs      []string `json:"eks"`
	Firmware string   `json:"firmware"`
	Usual    bool     `json:"usual"` // dealt where a fleet names no model
	Notes    []string `json:"notes"`
	Mark     string   `json:"mark"`
	Source   string   `json:"source"`
}

func runTPMModels(sh *shell) (int, error) {
	if _, err := sh.parse(sh.flags(), 0); err != nil {
		return helped(err)
	}
	list := []modelLine{}
	for _, name := range vtpm.Models() {
		m, err := vtpm.FindModel(name)
		if err != nil {
			return 0, err
		}
		list = append(list, lineOf(m))
	}
	if sh.json {
		return exitMet, sh.printJSON(map[string]any{"models": list})
	}
	w := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "model\tvendor\tkind\tTPM\tEKs\tfirmware\tnotes\n")
	for _, l := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Vendor, l.Kind, l.Family, strings.Join(l.EKs, ", "), l.Firmware, strings.Join(l.Notes, ", "))
	}
	return exitMet, w.Flush()
}

func lineOf(m *vtpm.Model) modelLine {
	l := modelLine{
		Name: m.Name, Vendor: m.Vendor, Kind: string(m.Kind), Family: m.Family, Firmware: m.Firmware, Usual: m.Usual,
		EKs: []string{}, Notes: []string{}, Mark: m.Mark, Source: m.Source,
	}
	for _, ek := range m.EKs {
		l.EKs = append(l.EKs, fmt.Sprintf("%s (%s)", ek.Algorithm, ek.Certificate))
	}
	if m.Usual {
		l.Notes = append(l.Notes, "usual")
	}
	if m.Host != "" {
		l.Notes = append(l.Notes, "certificates at "+m.Host)
	}
	for _, d := range m.Defects() {
		l.Notes = append(l.Notes, d.Name)
	}
	return l
}
