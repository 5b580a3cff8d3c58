// Package export lets other programs watch a load: Prometheus scrapes it, and
// an OpenTelemetry collector gets arrivals as traces by OTLP over HTTP.
//
// [Listen] opens the Prometheus endpoint, on loopback only. Latencies are
// native histograms, so a scrape must ask for them (scrape_native_histograms:
// true, or --enable-feature=native-histograms before Prometheus 3.8); the text
// format has their count and sum. [Trace] sends traces; it is off unless
// somebody calls it.
//
// Neither can hold the load up: scraping reads what was counted, and a trace
// that the collector is too slow for is dropped, counted and told.
//
// The figures that decide are those of package figure. What is here is for
// watching, and a load without any of it is the same load. Arrivals of the
// warm-up are not in the metrics; in traces they are marked.
package export
