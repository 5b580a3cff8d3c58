package scenario

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/graph"
)

// Schema is the JSON Schema (draft 2020-12) of the file, for editors and for
// people. It is made from the tags that Load works by. It is a little wider:
// whether names lead somewhere only Load can tell.
func Schema() *jsonschema.Schema {
	b := &schemaBuilder{defs: map[string]*jsonschema.Schema{}}
	root := b.object(reflect.TypeFor[Scenario]())
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.ID = "https://windtunnel.test/scenario.schema.json"
	root.Title = "Windtunnel scenario"
	root.Defs = b.defs
	return root
}

type schemaBuilder struct {
	defs map[string]*jsonschema.Schema
}

func (b *schemaBuilder) ref(name string, make func() *jsonschema.Schema) *jsonschema.Schema {
	if _, ok := b.defs[name]; !ok {
		b.defs[name] = &jsonschema.Schema{} // a type that holds itself ends here
		b.defs[name] = make()
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}

// forms are the types with a text form of their own.
var forms = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[time.Time]():       {Type: "string", Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?$`, Description: "Date and time, RFC 3339."},
	reflect.TypeFor[time.Duration]():   {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Length of time: 90m, 2h30m, 3d, 2w."},
	reflect.TypeFor[Span]():            {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Length of time, months and years of the calendar included: 90m, 3d, 6 months."},
	reflect.TypeFor[SpanRange]():       {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Length of time, or two that it is drawn between: 2h..3w."},
	reflect.TypeFor[SignedDuration]():  {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Length of time, with a minus to go back: -3h."},
	reflect.TypeFor[fault.Jump]():      {Types: []string{"string", "integer"}, Pattern: `[0-9]`, Description: "Length of time, with a minus to go back: -3h."},
	reflect.TypeFor[Share]():           {Types: []string{"string", "number"}, Pattern: `^[0-9.]+ ?%?$`, Description: "Part of a whole: 20% or 0.2."},
	reflect.TypeFor[Bandwidth]():       {Types: []string{"string", "integer"}, Pattern: `^[0-9.]+ ?[A-Za-z/]*$`, Description: "Bits a second: 500Mbit."},
	reflect.TypeFor[Size]():            {Types: []string{"string", "integer"}, Pattern: `^[0-9.]+ ?[A-Za-z]*$`, Description: "Bytes: 120MB."},
	reflect.TypeFor[FirmwareVersion](): {Types: []string{"string", "number"}, Pattern: `^[0-9]+\.[0-9]+$`, Description: "Firmware of a TPM, major and minor: \"5.61\"."},
	reflect.TypeFor[Build]():           {Types: []string{"string", "number"}, Pattern: `[0-9]`, Description: "Build of Windows, 26200.6584, or release, 25H2."},
	reflect.TypeFor[graph.Time]():      {Type: "string"},
	reflect.TypeFor[[]byte]():          {Type: "string", ContentEncoding: "base64"},
	reflect.TypeFor[Settings]():        {Type: "object", AdditionalProperties: &jsonschema.Schema{Types: []string{"string", "number", "boolean", "object"}}},
	reflect.TypeFor[JSONBody]():        {Type: "object"},
	reflect.TypeFor[Weights](): {AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "array", MinItems: jsonschema.Ptr(1), Items: &jsonschema.Schema{Type: "string"}},
		{Type: "object", MinProperties: jsonschema.Ptr(1), AdditionalProperties: &jsonschema.Schema{Type: "number", ExclusiveMinimum: jsonschema.Ptr(0.0)}}}},
	reflect.TypeFor[ArrivalRate]():  {Types: []string{"string", "number"}, Pattern: `^[0-9.eE+-]+ ?(/ ?[a-z]+)?$`, Description: "Arrivals a second, or with its unit: 50/s, 3000/min."},
	reflect.TypeFor[LoadHosts]():    {Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}},
	reflect.TypeFor[Expectations](): {Types: []string{"array", "object", "string"}, Items: entryForm()},
}

// of is the schema of a Go type.
func (b *schemaBuilder) of(t reflect.Type) *jsonschema.Schema {
	name := t.Name()
	if name != "" && t.PkgPath() != ownPackage {
		name = t.String() // graph.Time, fault.Rule
	}
	if form, ok := forms[t]; ok {
		if name == "" {
			return form
		}
		return b.ref(name, func() *jsonschema.Schema { return form })
	}
	if kind, ok := resources[t]; ok {
		return b.collection(kind)
	}
	if t == reflect.TypeFor[Moment]() {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{b.of(reflect.TypeFor[Span]()), b.of(reflect.TypeFor[EventMatch]())}}
	}
	if t == reflect.TypeFor[LoadThreshold]() {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, b.of(reflect.TypeFor[loadThreshold]())}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.of(t.Elem())
	case reflect.Struct:
		return b.ref(name, func() *jsonschema.Schema { return b.object(t) })
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: b.of(t.Elem())}
	case reflect.String:
		s := &jsonschema.Schema{Type: "string"}
		for _, c := range choicesOf(t) {
			s.Enum = append(s.Enum, c)
		}
		return s
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	}
	return &jsonschema.Schema{Type: "integer", Minimum: jsonschema.Ptr(0.0)}
}

// object is a mapping of ours: strict, with what will come later named.
func (b *schemaBuilder) object(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: nothing()}
	for _, f := range fieldsOf(t) {
		p := *b.of(f.typ)
		p.Description = f.doc
		if f.fallback != "" {
			p.Default = defaultOf(f)
		}
		if p.Type == "integer" {
			p.Minimum, p.Maximum = number(f.min, p.Minimum), number(f.max, p.Maximum)
		}
		if f.need {
			s.Required = append(s.Required, f.key)
		}
		s.Properties[f.key] = &p
		s.PropertyOrder = append(s.PropertyOrder, f.key)
	}
	if t == reflect.TypeFor[Action]() {
		s.MinProperties, s.MaxProperties = jsonschema.Ptr(1), jsonschema.Ptr(1)
	}
	if t.PkgPath() == ownPackage {
		for _, key := range slices.Sorted(maps.Keys(notYet[t.Name()])) {
			later := nothing()
			later.Description = "Not yet: " + notYet[t.Name()][key] + "."
			s.Properties[key] = later
			s.PropertyOrder = append(s.PropertyOrder, key)
		}
	}
	return s
}

// nothing is a schema that no value fits.
func nothing() *jsonschema.Schema { return &jsonschema.Schema{Not: &jsonschema.Schema{}} }

func number(limit string, otherwise *float64) *float64 {
	if v, err := strconv.ParseFloat(limit, 64); err == nil {
		return &v
	}
	return otherwise
}

func defaultOf(f field) json.RawMessage {
	switch f.typ.Kind() {
	case reflect.Bool:
		return json.RawMessage(f.fallback)
	case reflect.Int, reflect.Uint64:
		return json.RawMessage(f.fallback)
	}
	text, _ := json.Marshal(f.fallback) // a string
	return text
}

// collection is a list of resources, or Graph's answer with one. What the
// types do not have is let through: an export has it.
func (b *schemaBuilder) collection(kind resourceKind) *jsonschema.Schema {
	item := b.ref("graph."+kind.target.Name(), func() *jsonschema.Schema { return b.members(kind.target, kind) })
	list := &jsonschema.Schema{Type: "array", Items: item}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{list,
		{Type: "object", Properties: map[string]*jsonschema.Schema{"value": list}, Required: []string{"value"}}}}
}

func (b *schemaBuilder) members(t reflect.Type, kind resourceKind) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" || key == "-" {
			continue
		}
		s.Properties[key] = b.member(f.Type)
		s.PropertyOrder = append(s.PropertyOrder, key)
	}
	if kind.target == reflect.TypeFor[graph.DirectoryGroup]() {
		s.Properties["members"] = &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, b.member(reflect.TypeFor[graph.DirectoryObject]())}}}
	}
	for _, key := range kind.extension {
		s.Properties[key] = b.extension(kind.target, key)
		s.PropertyOrder = append(s.PropertyOrder, key)
	}
	return s
}

// extension is a member that is ours.
func (b *schemaBuilder) extension(target reflect.Type, key string) *jsonschema.Schema {
	switch {
	case key == "password":
		return &jsonschema.Schema{Type: "string", Description: "Ours: the password; missing: one is made."}
	case key == "secret":
		return &jsonschema.Schema{Type: "string", Description: "Ours: a client secret that does not expire; passwordCredentials may have others."}
	case target == reflect.TypeFor[graph.User]():
		own := *b.of(reflect.TypeFor[Account]())
		own.Description = "Ours: what Graph does not show of the account."
		return &own
	case target == reflect.TypeFor[graph.DeviceManagementScript]():
		own := *b.of(reflect.TypeFor[graph.ScriptExtension]())
		own.Description = "Ours: what running the script does."
		return &own
	}
	own := *b.of(reflect.TypeFor[Installer]())
	own.Description = "Ours: what the app's installer does."
	return &own
}

// member is a member of a resource; it may be null.
func (b *schemaBuilder) member(t reflect.Type) *jsonschema.Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	nullable := func(kind string) *jsonschema.Schema { return &jsonschema.Schema{Types: []string{kind, "null"}} }
	if form, ok := forms[t]; ok {
		return nullable(form.Type)
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return &jsonschema.Schema{}
	}
	switch t.Kind() {
	case reflect.Interface:
		return &jsonschema.Schema{}
	case reflect.Struct:
		object := b.ref("graph."+t.Name(), func() *jsonschema.Schema { return b.members(t, resourceKind{}) })
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{object, {Type: "null"}}}
	case reflect.Map:
		s := nullable("object")
		s.AdditionalProperties = b.member(t.Elem())
		return s
	case reflect.Slice:
		s := nullable("array")
		s.Items = b.member(t.Elem())
		return s
	case reflect.String:
		return nullable("string")
	case reflect.Bool:
		return nullable("boolean")
	}
	return nullable("integer")
}
