package chart

import "math"

// Thin keeps at most about n points and all that stands out: of each part of
// the line its lowest and its highest. Points are in the order of X. A gap (Y
// is NaN) stays where a whole part is one.
func Thin(points []Point, n int) []Point {
	if len(points) <= n || n < 2 {
		return points
	}
	parts := n / 2
	thin := make([]Point, 0, n)
	for i := range parts {
		part := points[i*len(points)/parts : (i+1)*len(points)/parts]
		low, high := -1, -1
		for j, p := range part {
			if math.IsNaN(p.Y) {
				continue
			}
			if low < 0 || p.Y < part[low].Y {
				low = j
			}
			if high < 0 || p.Y > part[high].Y {
				high = j
			}
		}
		switch {
		case low < 0:
			thin = append(thin, part[0])
		case low == high:
			thin = append(thin, part[low])
		default:
			thin = append(thin, part[min(low, high)], part[max(low, high)])
		}
	}
	return thin
}
