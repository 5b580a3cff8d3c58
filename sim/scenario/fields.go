package scenario

import (
	"reflect"
	"strings"
	"sync"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/graph"
)

// field is one key of a mapping: what its tags say.
type field struct {
	key, doc, fallback, min, max string
	need                         bool
	index                        []int
	typ                          reflect.Type
}

var ownPackage = reflect.TypeFor[Scenario]().PkgPath()

var fieldCache sync.Map // of reflect.Type to []field

// fieldsOf lists the keys of a struct in order.
func fieldsOf(t reflect.Type) []field {
	if list, ok := fieldCache.Load(t); ok {
		return list.([]field)
	}
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		own := field{key: key, doc: f.Tag.Get("doc"), fallback: f.Tag.Get("default"), min: f.Tag.Get("min"), max: f.Tag.Get("max"), need: f.Tag.Get("need") != "", index: f.Index, typ: f.Type}
		if own.doc == "" {
			own.doc = foreign[t][key].doc
			own.need = foreign[t][key].need
		}
		list = append(list, own)
	}
	fieldCache.Store(t, list)
	return list
}

// foreign is what tags would say of structs of other packages.
var foreign = map[reflect.Type]map[string]struct {
	doc  string
	need bool
}{
	reflect.TypeFor[fault.Rule](): {
		"name": {"What the journal calls it; no two rules share one.", true},
		"when": {"Where it strikes; empty members are not looked at, globs know * and ?.", false},
		"do":   {"What happens.", true},
	},
	reflect.TypeFor[fault.When](): {
		"layer":     {"http, tpm, event or stream.", false},
		"host":      {"Glob over host names.", false},
		"operation": {"Glob over the services' names of operations, or TPM commands.", false},
		"device":    {"Glob over PC names and serial numbers.", false},
		"event":     {"Glob over kinds of events.", false},
		"nth":       {"Only the nth that a PC passes, from 1.", false},
		"every":     {"Each so-manyeth; with nth: that one and each so-manyeth after it.", false},
		"share":     {"So many of them, drawn from the seed; 0 is all.", false},
		"from":      {"Since the start of the run.", false},
		"until":     {"Since the start of the run, not included.", false},
	},
	reflect.TypeFor[fault.Action](): {
		"status":      {"HTTP status, 300 to 599, answered in place of the service.", false},
		"retryAfter":  {"Retry-After of a 429 or 503, whole seconds.", false},
		"delay":       {"Wait before anything else.", false},
		"drop":        {"The connection breaks.", false},
		"refuse":      {"The connection is refused.", false},
		"noSuchName":  {"The name does not resolve.", false},
		"corrupt":     {"The answer's body is altered.", false},
		"truncate":    {"The answer's body ends early.", false},
		"intercept":   {"Something in the way opens TLS, with a certificate of its own authority.", false},
		"clockJump":   {"The PC's clock is set so far ahead, or back with a minus: 30d, -48h.", false},
		"diskFull":    {"No room is left on the PC's disk.", false},
		"exitCode":    {"Exit code of an installer (layer installer), which has installed nothing: 0xC0000005 is a crash.", false},
		"engineDeath": {"The engine that runs the TPM's command dies, and another does it again.", false},
		"cutPower":    {"The PC loses power.", false},
		"tpmResponse": {"Response code in place of the TPM's own.", false},
	},
}

// choicesOf lists what a text type may be, nil for free text.
func choicesOf(t reflect.Type) []string {
	if c, ok := reflect.Zero(t).Interface().(chooser); ok {
		return c.choices()
	}
	if t == reflect.TypeFor[graph.Intent]() {
		return []string{string(graph.IntentRequired), string(graph.IntentAvailable), string(graph.IntentUninstall)}
	}
	return nil
}
