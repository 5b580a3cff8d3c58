package kdc

import "windtunnel.test/sim/wire/krb5"

// Acceptor is the controller's end of a security context with a client, for one
// SASL bind. Whatever its ticket's name, it has to be sealed with the
// controller's own key.
func (s *Server) Acceptor() *krb5.Acceptor {
	return &krb5.Acceptor{
		Verifier: &krb5.Verifier{
			Keys: func(*krb5.Ticket) ([]krb5.Key, error) {
				self, ok := s.Directory.Self()
				if !ok {
					return nil, krb5.Refusal(krb5.ErrNotUs)
				}
				return s.keys(self), nil
			},
			Now: s.Directory.Now, Skew: s.timing().Hybrid.ClockSkew, Replays: &s.binds,
		},
		Random: s.random,
	}
}
