package ldap

// Application tags of RFC 4511 4.2 to 4.14.
const (
	tagBindRequest      = appCons
	tagBindResponse     = appCons | 1
	tagUnbindRequest    = application | 2
	tagSearchRequest    = appCons | 3
	tagSearchEntry      = appCons | 4
	tagSearchDone       = appCons | 5
	tagModifyRequest    = appCons | 6
	tagModifyResponse   = appCons | 7
	tagAddRequest       = appCons | 8
	tagAddResponse      = appCons | 9
	tagDeleteRequest    = application | 10
	tagDeleteResponse   = appCons | 11
	tagModifyDNRequest  = appCons | 12
	tagModifyDNResponse = appCons | 13
	tagCompareRequest   = appCons | 14
	tagCompareResponse  = appCons | 15
	tagAbandonRequest   = application | 16
	tagSearchReference  = appCons | 19
	tagExtendedRequest  = appCons | 23
	tagExtendedResponse = appCons | 24
)

// Append writes the message after b.
func (m *Message) Append(b []byte) []byte {
	return appendNested(b, tagSequence, func(b []byte) []byte {
		b = appendInteger(b, tagInteger, m.ID)
		b = appendNested(b, m.Op.tag(), m.Op.content)
		if len(m.Controls) > 0 {
			b = appendNested(b, contextCons, m.appendControls)
		}
		return b
	})
}

func (m *Message) appendControls(b []byte) []byte {
	for i := range m.Controls {
		b = m.Controls[i].append(b)
	}
	return b
}

func (*BindRequest) tag() byte { return tagBindRequest }
func (r *BindRequest) content(b []byte) []byte {
	b = appendInteger(b, tagInteger, r.Version)
	b = appendBytes(b, tagOctetString, r.Name)
	if r.Mechanism == "" {
		return appendBytes(b, context, r.Password)
	}
	return appendNested(b, contextCons|3, func(b []byte) []byte {
		b = appendBytes(b, tagOctetString, r.Mechanism)
		if r.Credentials != nil {
			b = appendBytes(b, tagOctetString, r.Credentials)
		}
		return b
	})
}

func (*BindResponse) tag() byte { return tagBindResponse }
func (r *BindResponse) content(b []byte) []byte {
	b = r.Result.content(b)
	if r.Credentials != nil {
		b = appendBytes(b, context|7, r.Credentials)
	}
	return b
}

func (r Result) content(b []byte) []byte {
	b = appendInteger(b, tagEnumerated, int(r.Code))
	b = appendBytes(b, tagOctetString, r.Matched)
	b = appendBytes(b, tagOctetString, r.Message)
	if len(r.Referrals) > 0 {
		b = appendNested(b, contextCons|3, func(b []byte) []byte { return appendTexts(b, r.Referrals) })
	}
	return b
}

func appendTexts(b []byte, list []string) []byte {
	for _, s := range list {
		b = appendBytes(b, tagOctetString, s)
	}
	return b
}

func (*UnbindRequest) tag() byte               { return tagUnbindRequest }
func (*UnbindRequest) content(b []byte) []byte { return b }

func (*SearchRequest) tag() byte { return tagSearchRequest }
func (r *SearchRequest) content(b []byte) []byte {
	b = appendBytes(b, tagOctetString, r.Base)
	b = appendInteger(b, tagEnumerated, int(r.Scope))
	b = appendInteger(b, tagEnumerated, r.Deref)
	b = appendInteger(b, tagInteger, r.SizeLimit)
	b = appendInteger(b, tagInteger, r.TimeLimit)
	b = appendBoolean(b, tagBoolean, r.TypesOnly)
	f := r.Filter
	if f == nil {
		f = All
	}
	b = f.append(b)
	return appendNested(b, tagSequence, func(b []byte) []byte { return appendTexts(b, r.Attributes) })
}

func (*Entry) tag() byte { return tagSearchEntry }
func (e *Entry) content(b []byte) []byte {
	b = appendBytes(b, tagOctetString, e.DN)
	return appendNested(b, tagSequence, func(b []byte) []byte {
		for i := range e.Attributes {
			b = e.Attributes[i].append(b)
		}
		return b
	})
}

func (a *Attribute) append(b []byte) []byte {
	return appendNested(b, tagSequence, func(b []byte) []byte {
		b = appendBytes(b, tagOctetString, a.Type)
		return appendNested(b, tagSet, func(b []byte) []byte {
			for _, v := range a.Values {
				b = appendBytes(b, tagOctetString, v)
			}
			return b
		})
	})
}

func (*SearchReference) tag() byte                 { return tagSearchReference }
func (r *SearchReference) content(b []byte) []byte { return appendTexts(b, r.URLs) }

func (*SearchDone) tag() byte { return tagSearchDone }

func (*ModifyRequest) tag() byte { return tagModifyRequest }
func (r *ModifyRequest) content(b []byte) []byte {
	b = appendBytes(b, tagOctetString, r.DN)
	return appendNested(b, tagSequence, func(b []byte) []byte {
		for i := range r.Changes {
			c := &r.Changes[i]
			b = appendNested(b, tagSequence, func(b []byte) []byte {
				return c.Attribute.append(appendInteger(b, tagEnumerated, int(c.Op)))
			})
		}
		return b
	})
}

func (*ModifyResponse) tag() byte { return tagModifyResponse }

func (*AddRequest) tag() byte { return tagAddRequest }

func (*AddResponse) tag() byte { return tagAddResponse }

func (*DeleteRequest) tag() byte                 { return tagDeleteRequest }
func (r *DeleteRequest) content(b []byte) []byte { return append(b, r.DN...) }

func (*DeleteResponse) tag() byte { return tagDeleteResponse }

func (*ModifyDNRequest) tag() byte { return tagModifyDNRequest }
func (r *ModifyDNRequest) content(b []byte) []byte {
	b = appendBytes(b, tagOctetString, r.DN)
	b = appendBytes(b, tagOctetString, r.NewRDN)
	b = appendBoolean(b, tagBoolean, r.DeleteOldRDN)
	if r.Moves {
		b = appendBytes(b, context, r.NewSuperior)
	}
	return b
}

func (*ModifyDNResponse) tag() byte { return tagModifyDNResponse }

func (*CompareRequest) tag() byte { return tagCompareRequest }
func (r *CompareRequest) content(b []byte) []byte {
	b = appendBytes(b, tagOctetString, r.DN)
	return appendNested(b, tagSequence, func(b []byte) []byte {
		return appendBytes(appendBytes(b, tagOctetString, r.Attribute), tagOctetString, r.Value)
	})
}

func (*CompareResponse) tag() byte { return tagCompareResponse }

func (*AbandonRequest) tag() byte { return tagAbandonRequest }
func (r *AbandonRequest) content(b []byte) []byte {
	return append(b, appendInteger(nil, tagInteger, r.ID)[2:]...)
}

func (*ExtendedRequest) tag() byte { return tagExtendedRequest }
func (r *ExtendedRequest) content(b []byte) []byte {
	b = appendBytes(b, context, r.Name)
	if r.HasValue {
		b = appendBytes(b, context|1, r.Value)
	}
	return b
}

func (*ExtendedResponse) tag() byte { return tagExtendedResponse }
func (r *ExtendedResponse) content(b []byte) []byte {
	b = r.Result.content(b)
	if r.Name != "" {
		b = appendBytes(b, context|10, r.Name)
	}
	if r.HasValue {
		b = appendBytes(b, context|11, r.Value)
	}
	return b
}
