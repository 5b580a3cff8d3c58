// Package arrival says when the devices of an open-loop load are to come. It
// is arithmetic: nothing here waits.
//
// A load is stages, one after the other. In each the asked rate is a function of
// time, piecewise linear; device n comes at the moment at which the integral of
// the rate reaches n + 1/2, so that a stage of 10 s at 50/s has 500 devices, the
// first 10 ms after its begin. What a stage leaves over of a device is carried
// into the next. In Poisson stages devices come by themselves: their distances
// are drawn from the seed.
package arrival
