package ldap

// Decode reads one whole message. Errors are [*SyntaxError]s.
func Decode(b []byte, l Limits) (*Message, error) {
	l = l.filled()
	if len(b) > l.Message {
		return nil, malformed("message of %d octets", len(b))
	}
	outer := cursor{b}
	content, err := outer.take(tagSequence, "message")
	if err != nil {
		return nil, err
	}
	if err := outer.end("message"); err != nil {
		return nil, err
	}
	c := cursor{content}
	m := &Message{}
	if m.ID, err = c.integer(tagInteger, "message number"); err != nil {
		return nil, err
	}
	if m.ID < 0 {
		return nil, malformed("message number %d", m.ID)
	}
	tag, body, err := c.next()
	if err != nil {
		return nil, err
	}
	if m.Op, err = decodeOp(tag, body, l); err != nil {
		return nil, err
	}
	if c.peek() == contextCons {
		_, list, err := c.next()
		if err != nil {
			return nil, err
		}
		if m.Controls, err = decodeControls(list); err != nil {
			return nil, err
		}
	}
	return m, c.end("message")
}

// PeekID is the message number of a message that does not decode, so that its refusal can carry it; 0 where even that is
// not to be had.
func PeekID(b []byte) int {
	outer := cursor{b}
	content, err := outer.take(tagSequence, "message")
	if err != nil {
		return 0
	}
	c := cursor{content}
	id, err := c.integer(tagInteger, "message number")
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func decodeOp(tag byte, body []byte, l Limits) (Op, error) {
	c := &cursor{body}
	switch tag {
	case tagBindRequest:
		return done(c, &BindRequest{}, decodeBind)
	case tagUnbindRequest:
		return &UnbindRequest{}, c.end("unbind")
	case tagSearchRequest:
		r := &SearchRequest{}
		return r, decodeSearch(c, r, l)
	case tagModifyRequest:
		return done(c, &ModifyRequest{}, decodeModify)
	case tagAddRequest:
		return done(c, &AddRequest{}, func(c *cursor, r *AddRequest) error { return decodeEntry(c, &r.Entry) })
	case tagDeleteRequest:
		return &DeleteRequest{string(body)}, nil
	case tagModifyDNRequest:
		return done(c, &ModifyDNRequest{}, decodeModifyDN)
	case tagCompareRequest:
		return done(c, &CompareRequest{}, decodeCompare)
	case tagAbandonRequest:
		id, err := parseInteger(body, "message number")
		return &AbandonRequest{id}, err
	case tagExtendedRequest:
		return done(c, &ExtendedRequest{}, decodeExtended)
	}
	return decodeResponse(tag, c)
}

// done decodes an operation and refuses what is left over.
func done[T any, P interface {
	*T
	Op
}](c *cursor, r P, f func(*cursor, P) error) (Op, error) {
	if err := f(c, r); err != nil {
		return nil, err
	}
	return r, c.end("operation")
}

func decodeBind(c *cursor, r *BindRequest) (err error) {
	if r.Version, err = c.integer(tagInteger, "version"); err != nil {
		return err
	}
	if r.Name, err = c.text("name"); err != nil {
		return err
	}
	tag, content, err := c.next()
	switch {
	case err != nil:
		return err
	case tag == context:
		r.Password = content
		return nil
	case tag != contextCons|3:
		r.Mechanism = "unknown" // RFC 4511 4.2: authMethodNotSupported, not a broken message
		return nil
	}
	sasl := cursor{content}
	if r.Mechanism, err = sasl.text("mechanism"); err != nil {
		return err
	}
	if r.Mechanism == "" {
		return malformed("mechanism is empty")
	}
	if sasl.more() {
		if r.Credentials, err = sasl.take(tagOctetString, "credentials"); err != nil {
			return err
		}
	}
	return sasl.end("credentials")
}

func decodeSearch(c *cursor, r *SearchRequest, l Limits) (err error) {
	if r.Base, err = c.text("base"); err != nil {
		return err
	}
	scope, err := c.integer(tagEnumerated, "scope")
	if err != nil {
		return err
	}
	if scope < 0 || scope > int(WholeSubtree) {
		return malformed("scope %d", scope)
	}
	r.Scope = Scope(scope)
	if r.Deref, err = c.integer(tagEnumerated, "derefAliases"); err != nil {
		return err
	}
	if r.SizeLimit, err = c.integer(tagInteger, "size limit"); err != nil {
		return err
	}
	if r.TimeLimit, err = c.integer(tagInteger, "time limit"); err != nil {
		return err
	}
	if r.Deref < 0 || r.Deref > 3 || r.SizeLimit < 0 || r.TimeLimit < 0 {
		return malformed("search limits %d, %d, %d", r.Deref, r.SizeLimit, r.TimeLimit)
	}
	if r.TypesOnly, err = c.boolean(tagBoolean, "typesOnly"); err != nil {
		return err
	}
	if r.Filter, err = c.filter(&filterBudget{l.FilterDepth, l.FilterTerms}, 0); err != nil {
		return err
	}
	list, err := c.take(tagSequence, "attributes")
	if err != nil {
		return err
	}
	if r.Attributes, err = decodeTexts(list, tagOctetString); err != nil {
		return err
	}
	if len(r.Attributes) > l.FilterTerms {
		return malformed("search for %d attributes", len(r.Attributes))
	}
	return c.end("search")
}

func decodeTexts(list []byte, tag byte) (out []string, err error) {
	for c := (cursor{list}); c.more(); {
		v, err := c.take(tag, "text")
		if err != nil {
			return nil, err
		}
		out = append(out, string(v))
	}
	return out, nil
}

func decodeEntry(c *cursor, e *Entry) (err error) {
	if e.DN, err = c.text("name"); err != nil {
		return err
	}
	list, err := c.take(tagSequence, "attributes")
	if err != nil {
		return err
	}
	for in := (cursor{list}); in.more(); {
		a, err := decodeAttribute(&in)
		if err != nil {
			return err
		}
		e.Attributes = append(e.Attributes, a)
	}
	return nil
}

func decodeAttribute(c *cursor) (a Attribute, err error) {
	b, err := c.take(tagSequence, "attribute")
	if err != nil {
		return a, err
	}
	in := cursor{b}
	if a.Type, err = in.text("attribute's type"); err != nil {
		return a, err
	}
	set, err := in.take(tagSet, "attribute's values")
	if err != nil {
		return a, err
	}
	for values := (cursor{set}); values.more(); {
		v, err := values.take(tagOctetString, "value")
		if err != nil {
			return a, err
		}
		a.Values = append(a.Values, v)
	}
	return a, in.end("attribute")
}

func decodeModify(c *cursor, r *ModifyRequest) (err error) {
	if r.DN, err = c.text("name"); err != nil {
		return err
	}
	list, err := c.take(tagSequence, "changes")
	if err != nil {
		return err
	}
	for in := (cursor{list}); in.more(); {
		b, err := in.take(tagSequence, "change")
		if err != nil {
			return err
		}
		one := cursor{b}
		op, err := one.integer(tagEnumerated, "kind of change")
		if err != nil {
			return err
		}
		if op < 0 || op > int(ReplaceValues) {
			return malformed("kind of change %d", op)
		}
		a, err := decodeAttribute(&one)
		if err != nil {
			return err
		}
		if err := one.end("change"); err != nil {
			return err
		}
		r.Changes = append(r.Changes, Change{ChangeOp(op), a})
	}
	return nil
}

func decodeModifyDN(c *cursor, r *ModifyDNRequest) (err error) {
	if r.DN, err = c.text("name"); err != nil {
		return err
	}
	if r.NewRDN, err = c.text("new name"); err != nil {
		return err
	}
	if r.DeleteOldRDN, err = c.boolean(tagBoolean, "deleteOldRDN"); err != nil {
		return err
	}
	if r.Moves = c.more(); r.Moves {
		b, err := c.take(context, "new superior")
		r.NewSuperior = string(b)
		return err
	}
	return nil
}

func decodeCompare(c *cursor, r *CompareRequest) (err error) {
	if r.DN, err = c.text("name"); err != nil {
		return err
	}
	b, err := c.take(tagSequence, "assertion")
	if err != nil {
		return err
	}
	in := cursor{b}
	if r.Attribute, err = in.text("attribute"); err != nil {
		return err
	}
	if r.Value, err = in.take(tagOctetString, "value"); err != nil {
		return err
	}
	return in.end("assertion")
}

func decodeExtended(c *cursor, r *ExtendedRequest) error {
	name, err := c.take(context, "name of extended operation")
	if err != nil {
		return err
	}
	r.Name = string(name)
	if r.HasValue = c.more(); r.HasValue {
		r.Value, err = c.take(context|1, "value of extended operation")
	}
	return err
}

// Split cuts a row of messages, as a datagram has them, after the first.
func Split(b []byte) (first, rest []byte, err error) {
	c := cursor{b}
	if _, err := c.take(tagSequence, "message"); err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(c.rest)], c.rest, nil
}
