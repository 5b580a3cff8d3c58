// Package graph is Microsoft Graph as far as Windows Autopilot needs it: resource types with the member names and
// shapes of the Graph reference, OData envelopes and errors, paths, query options.
//
// The same types serve three readers: the fakes that answer on graph.microsoft.com, the clients that call them, and the
// scenario file, whose tenant objects are Graph resources so that an export of a real tenant can be pasted in. Where a
// family has several concrete types (mobileApp, deviceConfiguration, ...), one Go struct holds the family: the common
// members directly, and what only some of the types have in embedded pointers that are nil for the others. Enum members
// are strings: values that are not among the constants are kept, as Graph's evolvable enums demand.
//
// What is left out of the real types is found with Inspect, which names the members that a value has and the type has
// not. It is not a complete Graph: $batch, permissions, throttling and routing to services are the front's work.
package graph
