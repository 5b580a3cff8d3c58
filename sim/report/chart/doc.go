// Package chart draws line charts as SVG to be put into an HTML page: axes with
// units, a legend, a title and a description for those who can't see it. It
// needs no script and no network.
//
// Colours are not in the SVG but in CSS, by classes and custom properties, so
// that one drawing serves light and dark screens and paper; [Style] is that
// CSS, and a page puts it into its own. Lines differ by their dashes too, since
// paper may have no colour. The same input gives the same bytes.
//
// It knows nothing of loads or runs: it gets numbers and names.
package chart
