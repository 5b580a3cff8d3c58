package bench_cloud

import (
	"runtime"
	"testing"

	"windtunnel.test/sim/house/promise"
)

const (
	few  = 100
	many = 5000
)

// What one device costs in the process, in a tenant of 100 and in one of 5,000, and what the services keep of it.
func BenchmarkPromiseCloudInProcess(b *testing.B) {
	twoCores(b)
	for range b.N {
		alone(b) // what is made once for all
		var small cost
		for range 8 {
			small.add(alone(b))
		}
		c := newCloud(b, many)
		before := heap()
		large := c.inBatches(many, c.direct)
		each := (heap() - before) / many
		runtime.KeepAlive(c)
		c.close()
		for range 8 {
			small.add(alone(b))
		}
		board.State(b, "token issue in the process, CPU", "ms", large.each(large.token))
		board.State(b, "join in the process, CPU", "ms", large.each(large.join))
		board.Hold(b, promise.Promise{Text: "enrolment in the process, CPU", Unit: "ms", Measured: large.each(large.enrol), Limit: 1.5})
		board.Hold(b, promise.Promise{Text: "a device of 5000 in a tenant to one of 100", Measured: large.all() / small.all(), Limit: 1.15})
		board.Hold(b, promise.Promise{Text: "memory of an enrolled device", Unit: "KB", Measured: each / 1000, Limit: 40})
		board.Note("in a tenant of %d: token %.3f ms, join %.3f ms, enrolment %.3f ms; of %d: %.3f, %.3f, %.3f", few, small.each(small.token), small.each(small.join), small.each(small.enrol),
			many, large.each(large.token), large.each(large.join), large.each(large.enrol))
		board.Note("last message of an enrolment: %d bytes", large.documentB/large.documents)
	}
}

// alone is a tenant of 100 devices.
func alone(b *testing.B) cost {
	b.Helper()
	runtime.GC() // what is left of others is not this one's
	c := newCloud(b, few)
	defer c.close()
	return c.inBatches(few, c.direct)
}

// heap is what is in use once all garbage is gone.
func heap() float64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
