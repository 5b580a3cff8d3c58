package report

import "windtunnel.test/sim/journal"

// Say is an event in words: whose doing it was, what happened, and from which
// detail of a timeline on it is told.
func Say(e journal.Event) (who, text string, detail int) { return in(e) }

// Who are those whose doing events are, in the order in which a reader looks for
// them.
func Who() []string {
	return []string{pc, hands, screen, esp, tpm, autopilot, account, entra, intune, apps, domain, network, refusal, broken}
}
