package main

import "flag"

var tpmVerb = &verb{
	name: "tpm", args: "VERB", short: "the TPMs: their images, models, and a TPM for other tools",
	long: `
A PC's TPM is made once, with keys of its own, and kept as an image in your cache
folder. A run makes the images that it needs and does not find; "tpm build" makes
them ahead of time.`,
}

func init() {
	tpmVerb.verbs = []*verb{tpmBuildVerb, tpmListVerb, tpmRmVerb, tpmModelsVerb, tpmServeVerb, tpmRootsVerb}
	tpmVerb.run = runGroup
}

// cacheFlag is --tpm-cache.
func cacheFlag(fs *flag.FlagSet, to *string) {
	fs.StringVar(to, "tpm-cache", "", "`DIR`: where TPM images are kept from run to run (default: windtunnel/tpm in your cache folder)")
}
