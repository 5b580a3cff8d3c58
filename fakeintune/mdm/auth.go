package mdm

import (
	"strconv"

	"windtunnel.test/sim/wire/syncml"
)

// maxTries is how often a session may try credentials: the first message may
// have none, and the second may have been made with an old nonce.
const maxTries = 3

// authenticate checks the SyncML header's credentials, where the device has to
// have some. Once good, they are for the whole session (212).
func (c *conversation) authenticate() syncml.StatusCode {
	want, v := c.wanted(), &c.row.Session
	switch {
	case want.Scheme == "":
		return syncml.OK
	case v.Proved:
		return syncml.AuthenticationAccepted
	}
	v.Tries++
	have := c.in.Header.Cred
	if have == nil {
		return syncml.MissingCredentials
	}
	good := false
	switch {
	case want.Scheme == syncml.AuthBasic:
		good = have.Equal(syncml.BasicCred(want.User, want.Secret))
	case len(c.row.Nonce) > 0:
		good = have.Equal(syncml.DigestCred(want.User, want.Secret, c.row.Nonce)) && c.s.spend(c.client.Device, c.row.Nonce)
	}
	c.row.Nonce = nil // each is good once
	if !good {
		return syncml.Unauthorized
	}
	v.Proved = true
	return syncml.AuthenticationAccepted
}

func (c *conversation) wanted() Credentials {
	if c.s.Credentials == nil {
		return Credentials{}
	}
	return c.s.Credentials(c.client.Device)
}

// challenge asks for the next credential.
func (c *conversation) challenge() *syncml.Challenge {
	scheme := c.wanted().Scheme
	if scheme != syncml.AuthMD5 {
		return syncml.NewChallenge(scheme, nil)
	}
	now := c.s.Tenants.Now().UnixNano()
	nonce := c.s.Tenants.Seed.Key("nonce", c.client.Device.ID, c.row.Session.ID, strconv.Itoa(c.row.Session.Message), strconv.FormatInt(now, 10))
	c.row.Nonce = nonce[:16]
	return syncml.NewChallenge(scheme, c.row.Nonce)
}

// refused answers credentials that are missing or wrong: nothing that came is
// done (SyncML Representation Protocol 1.2.2, 10: 401 and 407 go with a Chal).
// The session stays open for another try.
func (c *conversation) refused(code syncml.StatusCode) (*syncml.Message, error) {
	out := c.header(code)
	for i := range c.in.Commands {
		if cmd := &c.in.Commands[i]; cmd.Verb != syncml.Status && cmd.Verb != syncml.Results {
			c.status(cmd, code)
		}
	}
	v := &c.row.Session
	if code == syncml.Unauthorized || v.Tries > 1 {
		c.s.Tenants.Refused(c.ctx, "mdm", "mdm.session", "credentials", code.String())
	}
	if v.Tries < maxTries {
		out.Commands[0].Challenge = c.challenge()
		v.Held, v.Partial, v.Bytes = nil, syncml.Partial{}, 0
	} else {
		*v = session{}
	}
	out.Append(c.statuses...)
	out.Final = true
	out.Number()
	return out, c.s.save(c.client.Device, c.row)
}
