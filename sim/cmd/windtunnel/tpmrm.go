package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/sim/report"
	"windtunnel.test/sim/vtpm"
)

var tpmRmVerb = &verb{
	name: "tpm rm", short: "remove images",
	long: `
Says what it has removed, and asks nothing. Images that are being made by another
process are left alone. They can always be made again, and are then the same.

  windtunnel tpm rm --outdated                       what this version does not use
  windtunnel tpm rm --model intel-ptt --chips 100..199
  windtunnel tpm rm --all`,
}

func init() { tpmRmVerb.run = runTPMRm }

// removal is what is to go.
type removal struct {
	dir, model    string
	outdated, all bool
	first, last   int
}

func runTPMRm(sh *shell) (int, error) {
	r := removal{last: vtpm.All}
	fs := sh.flags()
	fs.StringVar(&r.model, "model", "", "`M`: images of this model")
	fs.BoolVar(&r.outdated, "outdated", false, "images of recipes that this version does not use")
	fs.BoolVar(&r.all, "all", false, "all images")
	fs.Var(&value{set: r.setChips}, "chips", "`FROM..TO`: of the model only these chips")
	cacheFlag(fs, &r.dir)
	if _, err := sh.parse(fs, 0); err != nil {
		return helped(err)
	}
	_, some := givenFlags(fs)["chips"]
	switch {
	case !r.all && !r.outdated && r.model == "":
		return 0, inputErrorf("tpm rm: which images? --model M, --outdated or --all")
	case r.all && (r.outdated || r.model != ""):
		return 0, inputErrorf("tpm rm: --all goes alone")
	case some && r.model == "":
		return 0, inputErrorf("tpm rm: --chips goes with --model")
	}
	return r.remove(sh)
}

func (r *removal) setChips(s string) error {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		to = from
	}
	var err, err2 error
	r.first, err = strconv.Atoi(from)
	r.last, err2 = strconv.Atoi(to)
	if err != nil || err2 != nil || r.first < 0 || r.last < r.first || r.last >= vtpm.MaxChips {
		return errors.New("want FROM..TO, two numbers of chips, or one number")
	}
	return nil
}

func (r *removal) remove(sh *shell) (int, error) {
	cache, err := vtpm.OpenCache(r.dir)
	if err != nil {
		return 0, err
	}
	folders, err := cache.Folders()
	if err != nil {
		return 0, err
	}
	type line struct {
		Model  string `json:"model"`
		Recipe string `json:"recipe"`
		Images int    `json:"images"`
		Bytes  int64  `json:"bytes"`
	}
	list, known := []line{}, false
	var failed error
	for _, f := range folders {
		known = known || f.Model == r.model
		if r.model != "" && f.Model != r.model || r.outdated && f.Current {
			continue
		}
		gone, err := cache.Remove(f, r.first, r.last)
		failed = errors.Join(failed, err)
		if gone.Images > 0 {
			list = append(list, line{f.Model, f.Recipe, gone.Images, gone.Bytes})
		}
	}
	if r.model != "" && !known {
		if err := knownModel(r.model); err != nil {
			return 0, err
		}
	}
	if sh.json && failed == nil {
		return exitMet, sh.printJSON(map[string]any{"removed": list})
	}
	for _, l := range list {
		if !sh.json {
			fmt.Fprintf(sh.out, "removed %s of %s (%s), %s\n", report.Count(l.Images), l.Model, l.Recipe, megabytes(l.Bytes))
		}
	}
	if len(list) == 0 && failed == nil {
		fmt.Fprintln(sh.out, "Nothing to remove.")
	}
	return exitMet, failed
}
