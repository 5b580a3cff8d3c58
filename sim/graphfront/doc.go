// Package graphfront is graph.microsoft.com: one address for what several
// services answer. It looks at the path and hands the request on, and it takes
// batches apart; it knows no resource itself.
//
// POST /$batch holds up to 20 requests, with relative addresses, which may
// depend on one another; each has its own answer, throttled ones too. A batch
// that is wrong as a whole answers 400: too many, an id twice, a dependency on
// itself or on nothing, an address of another host, a batch in a batch.
package graphfront
