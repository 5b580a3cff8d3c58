package limit

import "math"

// Interval is the exact 95 % confidence interval of a share of which k of n
// were seen (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934): the shares
// for which neither so many nor so few would be rarer than 1 in 40.
func Interval(k, n int) (lo, hi float64) {
	const tail = 0.025
	if n == 0 {
		return 0, 1
	}
	hi = 1
	if k > 0 {
		lo = root(func(p float64) bool { return atLeast(k, n, p) < tail })
	}
	if k < n {
		hi = root(func(p float64) bool { return 1-atLeast(k+1, n, p) > tail })
	}
	return lo, hi
}

// root is where a condition that holds for small shares ceases to.
func root(holds func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		if middle := (lo + hi) / 2; holds(middle) {
			lo = middle
		} else {
			hi = middle
		}
	}
	return (lo + hi) / 2
}

// atLeast is the probability of k or more of n, each with probability p.
func atLeast(k, n int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		switch {
		case p <= 0:
			if i == 0 {
				sum++
			}
		case p >= 1:
			if i == n {
				sum++
			}
		default:
			sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
	}
	return min(1, sum)
}
