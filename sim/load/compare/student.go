package compare

import "math"

// welch is the difference of two means (b - a) and half the width of its 95 %
// interval; ok is false where a side has one value only.
func welch(a, b []float64) (diff, half float64, ok bool) {
	ma, va := moments(a)
	mb, vb := moments(b)
	diff = mb - ma
	if len(a) < 2 || len(b) < 2 {
		return diff, 0, false
	}
	sa, sb := va/float64(len(a)), vb/float64(len(b))
	if sa+sb == 0 {
		return diff, 0, true
	}
	// Degrees of freedom by Welch and Satterthwaite.
	freedom := (sa + sb) * (sa + sb) / (sa*sa/float64(len(a)-1) + sb*sb/float64(len(b)-1))
	return diff, quantile(0.975, freedom) * math.Sqrt(sa+sb), true
}

// moments are mean and variance of a sample.
func moments(x []float64) (mean, variance float64) {
	if len(x) == 0 {
		return 0, 0
	}
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(max(1, len(x)-1))
}

// quantile is that of Student's distribution with so many degrees of freedom,
// for p above one half.
func quantile(p, freedom float64) float64 {
	lo, hi := 0.0, 1e6
	for range 100 {
		t := (lo + hi) / 2
		// P(T > t) is half the regularised incomplete beta function (Abramowitz and
		// Stegun, 26.7.1 and 26.5.27).
		if 1-beta(freedom/(freedom+t*t), freedom/2, 0.5)/2 < p {
			lo = t
		} else {
			hi = t
		}
	}
	return (lo + hi) / 2
}

// beta is the regularised incomplete beta function.
func beta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - beta(1-x, b, a) // the fraction converges quickly on one side
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(a*math.Log(x)+b*math.Log1p(-x)+lab-la-lb) / a
	return front * fraction(x, a, b)
}

// fraction is the continued fraction of Abramowitz and Stegun 26.5.8, from the
// front (W. J. Lentz, Applied Optics 15, 1976).
func fraction(x, a, b float64) float64 {
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := range 500 {
		m := float64(i / 2)
		var term float64
		switch {
		case i == 0:
			term = 1
		case i%2 == 0:
			term = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + term*d; math.Abs(d) < tiny {
			d = tiny
		}
		if c = 1 + term/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if math.Abs(1-c*d) < 1e-14 {
			break
		}
	}
	return f - 1
}
