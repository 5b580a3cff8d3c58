package ldap

// decodeResponse reads what a server sends.
func decodeResponse(tag byte, c *cursor) (Op, error) {
	switch tag {
	case tagBindResponse:
		return done(c, &BindResponse{}, decodeBindResponse)
	case tagSearchEntry:
		return done(c, &Entry{}, decodeEntry)
	case tagSearchReference:
		urls, err := decodeTexts(c.rest, tagOctetString)
		return &SearchReference{urls}, err
	case tagSearchDone:
		return done(c, &SearchDone{}, func(c *cursor, r *SearchDone) error { return r.decode(c) })
	case tagModifyResponse:
		return done(c, &ModifyResponse{}, func(c *cursor, r *ModifyResponse) error { return r.decode(c) })
	case tagAddResponse:
		return done(c, &AddResponse{}, func(c *cursor, r *AddResponse) error { return r.decode(c) })
	case tagDeleteResponse:
		return done(c, &DeleteResponse{}, func(c *cursor, r *DeleteResponse) error { return r.decode(c) })
	case tagModifyDNResponse:
		return done(c, &ModifyDNResponse{}, func(c *cursor, r *ModifyDNResponse) error { return r.decode(c) })
	case tagCompareResponse:
		return done(c, &CompareResponse{}, func(c *cursor, r *CompareResponse) error { return r.decode(c) })
	case tagExtendedResponse:
		return done(c, &ExtendedResponse{}, decodeExtendedResponse)
	}
	return nil, malformed("operation has tag 0x%02x", tag)
}

func (r *Result) decode(c *cursor) error {
	code, err := c.integer(tagEnumerated, "result code")
	if err != nil {
		return err
	}
	r.Code = ResultCode(code)
	if r.Matched, err = c.text("matched name"); err != nil {
		return err
	}
	if r.Message, err = c.text("diagnostic message"); err != nil {
		return err
	}
	if c.peek() != contextCons|3 {
		return nil
	}
	_, list, err := c.next()
	if err != nil {
		return err
	}
	r.Referrals, err = decodeTexts(list, tagOctetString)
	return err
}

func decodeBindResponse(c *cursor, r *BindResponse) error {
	if err := r.decode(c); err != nil || !c.more() {
		return err
	}
	var err error
	r.Credentials, err = c.take(context|7, "server's credentials")
	return err
}

func decodeExtendedResponse(c *cursor, r *ExtendedResponse) error {
	if err := r.decode(c); err != nil {
		return err
	}
	if c.peek() == context|10 {
		name, err := c.take(context|10, "name of extended response")
		if err != nil {
			return err
		}
		r.Name = string(name)
	}
	if r.HasValue = c.more(); !r.HasValue {
		return nil
	}
	var err error
	r.Value, err = c.take(context|11, "value of extended response")
	return err
}
