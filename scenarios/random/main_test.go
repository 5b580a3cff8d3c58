package random_test

import (
	"flag"
	"os"
	"testing"
)

// soakVariable asks for draws that nobody has seen yet, and for more of them.
const soakVariable = "WINDTUNNEL_SOAK"

func soak() bool { return os.Getenv(soakVariable) != "" }

// TestMain fixes the seed of what is drawn, unless a soak is wanted or somebody
// gives another with -rapid.seed.
func TestMain(m *testing.M) {
	fixed := map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "20s"}
	if !soak() {
		fixed["rapid.seed"] = "1"
	}
	for name, value := range fixed {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run()) // which reads the command line's own flags after these
}
