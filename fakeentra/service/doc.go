// Package service is what the surfaces of the fake Entra ID have in common:
// their options with defaults that work, identifiers drawn from the seed, JSON
// answers, and refusals in the journal. It is no service itself.
package service
