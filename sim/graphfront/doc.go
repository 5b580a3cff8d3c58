// Package graphfront is graph.microsoft.com: one address for what several
// services answer. It looks at the path and hands the request on; it knows no
// resource itself. $batch is absent so far and answers 501.
package graphfront
