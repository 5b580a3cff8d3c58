// Package directory is the directory's slice of Microsoft Graph: organization,
// users, groups with their members, and devices, in v1.0 and beta, and the
// legacy address with which a management service tells whether a device is
// managed and compliant.
//
// A Service is an http.Handler for graph.microsoft.com and graph.windows.net;
// what it does not have it answers with 501. Callers need an access token for
// Graph with a permission for the operation, in roles or scp.
package directory
