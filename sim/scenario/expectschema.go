package scenario

import "github.com/google/jsonschema-go/jsonschema"

// entryForm is the schema of one entry of expect: a text, or a mapping
// whose other keys are the names of figures.
func entryForm() *jsonschema.Schema {
	word := func(doc string) *jsonschema.Schema {
		return &jsonschema.Schema{Types: []string{"string", "integer", "boolean"}, Description: doc}
	}
	fields := func(doc string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Types: []string{"string", "number", "boolean"}}, Description: doc}
	}
	event := func(doc string) *jsonschema.Schema {
		return &jsonschema.Schema{Description: doc, AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "object", Required: []string{"event"},
			Properties: map[string]*jsonschema.Schema{"event": word("Kind of event; a glob."), "where": fields("Fields of the event and what they must be; globs.")}}}}
	}
	ends := word("How the story of each of these PCs ends.")
	for _, o := range outcomes {
		ends.Enum = append(ends.Enum, o)
	}
	return &jsonschema.Schema{
		Types:       []string{"string", "object"},
		Description: "A figure of the run, as a text (failures == 0) or a mapping, or what must be so of single PCs, of events, or of what the services say at the end.",
		Properties: map[string]*jsonschema.Schema{
			"device":  word("Name or serial number of the PCs that it is about; a glob. Missing: every PC, and with event anybody."),
			"ends":    ends,
			"code":    word("HRESULT, with ends; alone: a code of any event. A glob."),
			"check":   word("With ends: check of a service that decided; a glob."),
			"reason":  word("With ends: why, in words; a glob."),
			"row":     word("With ends: row of the status page that the PC is stuck at; a glob."),
			"screen":  word("With ends: screen that was shown last. Alone: a screen that is shown. A glob."),
			"event":   word("Kind of event of the journal that happens; a glob."),
			"where":   fields("With event: its fields; with graph: members of the objects, by dotted path. Globs."),
			"logged":  fields("Entry of a Windows event log: channel, id, level, message."),
			"request": fields("HTTP request of a PC: host, operation, method, status."),
			"refused": fields("Request that a service refused: service, operation, check, code."),
			"count":   {Types: []string{"integer", "string"}, Pattern: `^(==|=|!=|<=|>=|<|>)?\s*[0-9]+$`, Description: "How many events of each PC, or objects of Graph: 0, 3, \">= 2\"; missing: at least one."},
			"after":   event("Only events that follow one of these of the same PC."),
			"before":  event("Only events that none of these of the same PC precedes."),
			"within":  {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Virtual time after \"after\", or after the run's start."},
			"registry": {Type: "object", Required: []string{"key", "name"}, Description: "Value of a PC's registry when its story ends.",
				Properties: map[string]*jsonschema.Schema{"key": word("Key, from HKLM on."), "name": word("Name of the value."), "is": word("What it is; a glob."), "missing": {Type: "boolean", Description: "It is not there."}}},
			"graph": {Type: "string", Pattern: "^/", Description: "Path in Microsoft Graph, with its version, that an administrator reads when all stories are through."},
		},
	}
}
