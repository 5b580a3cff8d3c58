package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
)

var tpmVerb = &verb{
	name: "tpm", args: "VERB", short: "the TPMs: their images, models, and a TPM for other tools",
	long: `
A PC's TPM is made once, with keys of its own, and kept as an image in your cache
folder. A run makes the images that it needs and does not find; "tpm build" makes
them ahead of time.`,
}

// tpmVerbs in the order of the help text. Each has "tpm " and its own word as
// its name.
var tpmVerbs []*verb

func init() {
	tpmVerb.run = runTPM
	tpmVerbs = []*verb{tpmBuildVerb, tpmListVerb, tpmRmVerb, tpmModelsVerb, tpmServeVerb, tpmRootsVerb}
}

// tpmVerbNamed finds a verb by its own word.
func tpmVerbNamed(word string) (*verb, error) {
	if i := slices.IndexFunc(tpmVerbs, func(v *verb) bool { return v.name == "tpm "+word }); i >= 0 {
		return tpmVerbs[i], nil
	}
	var words []string
	for _, v := range tpmVerbs {
		words = append(words, strings.TrimPrefix(v.name, "tpm "))
	}
	if strings.HasPrefix(word, "-") {
		return nil, inputErrorf("tpm: which verb? windtunnel tpm %s", strings.Join(words, "|"))
	}
	return nil, inputErrorf("tpm: unknown verb %q%s; there are %s", word, suggestion(word, words, ""), strings.Join(words, ", "))
}

func runTPM(sh *shell) (int, error) {
	args := slices.DeleteFunc(slices.Clone(sh.args), func(a string) bool { return strings.TrimLeft(a, "-") == "json" && a[0] == '-' })
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		return exitMet, sh.tpmOverview()
	}
	v, err := tpmVerbNamed(args[0])
	if err != nil {
		return 0, err
	}
	of := *sh
	of.verb, of.args = v, args[1:]
	return v.run(&of)
}

// cacheFlag is --tpm-cache.
func cacheFlag(fs *flag.FlagSet, to *string) {
	fs.StringVar(to, "tpm-cache", "", "`DIR`: where TPM images are kept from run to run (default: windtunnel/tpm in your cache folder)")
}

// tpmOverview is the help text of the verb.
func (sh *shell) tpmOverview() error {
	if sh.json {
		return sh.listVerbs(tpmVerbs)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s.\n\n%s\n\n", usage(tpmVerb), upperFirst(tpmVerb.short), strings.TrimSpace(tpmVerb.long))
	for _, v := range tpmVerbs {
		fmt.Fprintf(&b, "  %-20s %s\n", strings.TrimSpace(strings.TrimPrefix(v.name, "tpm ")+" "+v.args), v.short)
	}
	fmt.Fprintf(&b, "\n`windtunnel tpm VERB --help` tells more.\n")
	_, err := fmt.Fprint(sh.out, b.String())
	return err
}
