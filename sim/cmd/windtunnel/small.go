package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

var schemaVerb = &verb{
	name: "schema", short: "print the JSON Schema of scenario files",
	long: `
For editors that check and complete YAML by a schema, and to read what a
scenario may hold. It is JSON with and without --json.

  windtunnel schema > windtunnel.schema.json`,
	run: func(sh *shell) (int, error) {
		if _, err := sh.parse(sh.flags(), 0); err != nil {
			return helped(err)
		}
		return exitMet, sh.printJSON(scenario.Schema())
	},
}

var versionVerb = &verb{
	name: "version", short: "print which build this is",
	run: func(sh *shell) (int, error) {
		if _, err := sh.parse(sh.flags(), 0); err != nil {
			return helped(err)
		}
		engine := tpmVersion()
		if sh.json {
			return exitMet, sh.printJSON(map[string]string{
				"build": sim.Build(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "tpmEngine": engine,
			})
		}
		_, err := fmt.Fprintf(sh.out, "windtunnel %s\n%s %s/%s, TPM engine %s\n", sim.Build(), runtime.Version(), runtime.GOOS, runtime.GOARCH, engine)
		return exitMet, err
	},
}

// helped is the end of a verb whose flags asked for help, or were wrong.
func helped(err error) (int, error) {
	if err == errHelp {
		return exitMet, nil
	}
	return 0, err
}

// tpmVersion is the version of the module that the TPM's code comes from.
func tpmVersion() string {
	const module = "github.com/google/go-tpm-tools"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return "go-tpm-tools " + d.Version
			}
		}
	}
	return "go-tpm-tools"
}
