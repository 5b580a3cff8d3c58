// Package starter writes what somebody begins with: a scenario file, and a Go
// module with a first spec. Both run as they are written. The module uses a
// checkout of this repository, as long as that is published nowhere; the versions
// and checksums of the modules that it needs are those of the checkout.
package starter
