package chart

import _ "embed"

// Style is the CSS that the drawings and legends need: on paper and on light
// and dark screens. It defines --tone-0 to --tone-6, --ink, --soft, --rule and
// --paper, which a page may use too. Each tone has a contrast of at least 4.5 to
// its ground (WCAG 2.2, 1.4.3).
//
//go:embed style.css
var Style string

// Page is the CSS of a page that has drawings: headings, tables, tiles, warnings
// and pictures in tables, on every screen and on paper. It needs Style.
//
//go:embed page.css
var Page string
