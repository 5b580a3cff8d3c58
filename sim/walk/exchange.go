package walk

import (
	"fmt"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// Exchange is something that a PC does with somebody else and that can fail.
type Exchange struct {
	N         int    `json:"n"` // in the flow, from 1
	Layer     string `json:"layer"`
	Host      string `json:"host,omitempty"`
	Operation string `json:"operation"`
	Nth       int    `json:"nth"`                // among those of the same host and operation
	Class     int    `json:"commands,omitempty"` // of a TPM command: how many there were of its class
}

// String is the exchange as the table has it.
func (e Exchange) String() string {
	s := e.Operation
	if e.Layer == fault.Installer {
		s = "installer of " + s
	}
	if e.Host != "" {
		s = e.Host + " " + s
	}
	if e.Nth > 1 {
		s += fmt.Sprintf(" (%d)", e.Nth)
	}
	return s
}

// is tells whether a person who says this means the exchange; "" is any.
func (e Exchange) is(said string) bool {
	return said == "" || said == fmt.Sprint(e.N) || said == e.Operation || said == e.String()
}

// numbered lists a PC's exchanges in the order of its events: every one over
// HTTP, the first command of each class that it gives its TPM, and every run of
// an installer.
func numbered(events []journal.Event) []Exchange {
	var list []Exchange
	seen := map[string]int{}
	classes := map[string]int{}
	for _, e := range events {
		x := Exchange{N: len(list) + 1, Operation: e.Text("operation"), Host: e.Text("host")}
		switch e.Kind {
		case "http.request":
			x.Layer = fault.HTTP
		case "http.transfer":
			x.Layer, x.Operation = fault.HTTP, "transfer"
		case "tpm.command":
			x.Layer = fault.TPM
		case "product.installed":
			x.Layer, x.Operation = fault.Installer, e.Text("product")
		default:
			continue
		}
		key := x.Layer + " " + x.Host + " " + x.Operation
		seen[key]++
		x.Nth = seen[key]
		if x.Layer == fault.TPM {
			if at, known := classes[x.Operation]; known {
				list[at].Class++
				continue
			}
			classes[x.Operation], x.Class = len(list), 1
		}
		list = append(list, x)
	}
	return list
}

// rule is the fault rule that fails an exchange of a PC.
func (e Exchange) rule(device string, k Kind) fault.Rule {
	return fault.Rule{
		Name: fmt.Sprintf("walk %d %s", e.N, k.Name),
		When: fault.When{Layer: e.Layer, Host: e.Host, Operation: e.Operation, Device: device, Nth: e.Nth},
		Do:   k.Do,
	}
}
