// Package directory is the directory's slice of Microsoft Graph, in v1.0 and
// beta: organization, users, groups with their members, devices, applications
// and service principals with their endpoints, conditional access policies, and
// the legacy address with which a management service tells whether a device is
// managed and compliant.
//
// A Service is an http.Handler for graph.microsoft.com and graph.windows.net;
// what it does not have it answers with 501, also a member of a body that it
// does not know: nothing is dropped in silence. Callers need an access token
// for Graph with a permission for the operation, in roles or scp; the scheme
// may be missing from the header. A body may have 1 MiB.
package directory
