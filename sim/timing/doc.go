// Package timing holds every duration, interval, retry count, lifetime and limit that is Windows' or Microsoft's, and the
// named switches for behaviour that sources disagree on.
//
// A [Profile] is a struct of groups of typed fields, filled from an embedded YAML file. Every field has one entry there, and
// every entry says what its value counts from (the zero point), where it was read, and how far to trust it:
//
//	documented  Microsoft says so on a page or in a specification
//	observed    seen in Windows' own behaviour
//	community   reported in the field, not by Microsoft
//	assumed     nobody says; the value is ours
//
// Three profiles are built in: "windows", with the figures above; "fast", which keeps the order of things and shortens the
// waits, for specs that are about something else; and "load", in which what no protocol hangs on takes no time at all. A scenario changes single values by their dotted path, as in
// "esp.timeout": "90m"; see [Profile.Override].
//
// What a profile does not hold: the speed of a link (a site's), the latency of a TPM (its model's), and anything that an
// administrator sets in a tenant. Where an administrator's setting has a default of Microsoft's, the default stands here.
package timing
