package mdm

import (
	"context"
	"slices"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/vclock"
)

// msiLine has the client work through its own packages in the order in which it
// was told of them, so that none of them finds Windows Installer busy with
// another, and the management extension, which comes first, is not kept by what
// comes after it (our model). What others install they still meet.
type msiLine struct {
	cond    vclock.Cond
	jobs    map[string]bool // those that have been started and are not over
	waiting []string        // for their turn; the first one has it
}

func msiTurns(w *device.Windows) *msiLine {
	type key struct{}
	return device.Once(w, key{}, func() *msiLine {
		return &msiLine{cond: w.Clock.NewCond("MSI jobs on " + w.Name), jobs: map[string]bool{}}
	})
}

// join puts a job that is new at the end of the line.
func (l *msiLine) join(job string) {
	l.cond.Change(func() {
		if !l.jobs[job] {
			l.jobs[job], l.waiting = true, append(l.waiting, job)
		}
	})
}

// turn waits until it is a job's turn.
func (l *msiLine) turn(ctx context.Context, job string) error {
	l.cond.Change(func() {
		if !slices.Contains(l.waiting, job) {
			l.waiting = append(l.waiting, job)
		}
	})
	return l.cond.Await(ctx, func() bool { return l.waiting[0] == job })
}

// next lets the others have theirs.
func (l *msiLine) next(job string) {
	l.cond.Change(func() { l.waiting = slices.DeleteFunc(l.waiting, func(o string) bool { return o == job }) })
}

// over takes a job out for good.
func (l *msiLine) over(job string) {
	l.next(job)
	l.cond.Change(func() { delete(l.jobs, job) })
}

// msiOrder is the value of a job's key that keeps its place over a restart.
const msiOrder = "Order"

// lastMSI is the highest place that a job has.
func lastMSI(r *device.Registry) (last uint32) {
	for _, sid := range r.Subkeys(device.KeyMSI) {
		for _, product := range r.Subkeys(device.KeyMSI + `\` + sid + `\MSI`) {
			n, _ := r.DWORD(device.KeyMSI+`\`+sid+`\MSI\`+product, msiOrder)
			last = max(last, n)
		}
	}
	return last
}
