// Package target finds what a load is aimed at, looks whether that is such a
// service before anything is sent to it in earnest, and connects a world's PCs to
// it.
//
// A target is this process (none at all), a `windtunnel serve` that is started
// for the load and ends with it, one that runs already (its ready document), or
// any addresses by host name. Nobody but its owner may put load on a service:
// addresses of other machines are taken only with the owner's word.
package target
