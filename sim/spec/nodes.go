package spec

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"windtunnel.test/sim/vclock"
)

// Ginkgo's own words get a second meaning here: Describe, It and BeforeEach take
// options of worlds as decorators, and functions that want a world. Ginkgo asks
// for that at AddTreeConstructionNodeArgsTransformer.
func init() { ginkgo.AddTreeConstructionNodeArgsTransformer(transform) }

// plot is what a spec was planted with.
type plot struct {
	texts   []string // of its containers, and its own
	options []Option // of its containers, and its own
	seed    *vclock.Seed
}

// The tree of specs is built by one goroutine, container by container.
var (
	place   plot                // of the container that is being filled
	depth   int                 // of containers
	again   bool                // a node is being planted once more, for another seed
	plots   = map[string]plot{} // by the spec's full text
	running *World              // of the spec that runs; a process runs one at a time
)

// transform reads a node's arguments. With a range of seeds, what stands at the
// top of a file is planted once for each: each time with closure variables of
// its own.
func transform(kind types.NodeType, offset ginkgo.Offset, text string, args []any) (string, []any, []error) {
	grows := kind.Is(types.NodeTypeContainer | types.NodeTypeIt)
	if grows && depth == 0 && !again {
		seeds, err := Seeds()
		if err != nil {
			return text, args, []error{err}
		}
		if len(seeds) > 0 {
			plantAgain(kind, text, at(args, types.NewCodeLocation(int(offset))), seeds[1:])
			place = plot{seed: &seeds[0]}
			defer func() { place = plot{} }()
		}
	}
	args, own := partition(args)
	if len(own) > 0 && !grows {
		return text, args, []error{fmt.Errorf("spec: %q: options of a world decorate containers and specs; %v is neither", text, kind)}
	}
	if kind.Is(types.NodeTypeIt) && place.seed != nil {
		text += fmt.Sprintf(seedSuffix, uint64(*place.seed))
	}
	here := place.with(text, own)
	for i, a := range args {
		switch {
		case kind.Is(types.NodeTypeContainer):
			if body, ok := a.(func()); ok {
				args[i] = here.filling(body)
			}
		default:
			args[i] = inWorld(a)
		}
	}
	if kind.Is(types.NodeTypeIt) {
		plots[strings.Join(here.texts, " ")] = here
	}
	return text, args, nil
}

// plantAgain makes a node of the same kind for each of the seeds.
func plantAgain(kind types.NodeType, text string, args []any, seeds []vclock.Seed) {
	again = true
	defer func() { again, place = false, plot{} }()
	for _, s := range seeds {
		place = plot{seed: &s}
		if kind.Is(types.NodeTypeContainer) {
			ginkgo.Describe(text, slices.Clone(args)...)
		} else {
			ginkgo.It(text, slices.Clone(args)...)
		}
	}
}

// at puts a place in the code among a node's arguments, where it has none of
// its own.
func at(args []any, location types.CodeLocation) []any {
	kept := []any{location}
	for _, a := range args {
		if _, ok := a.(ginkgo.Offset); !ok {
			kept = append(kept, a)
		}
	}
	return kept
}

// partition takes the options out of a node's arguments.
func partition(args []any) (rest []any, own []Option) {
	for _, a := range args {
		switch a := a.(type) {
		case Option:
			own = append(own, a)
		case []Option:
			own = append(own, a...)
		default:
			rest = append(rest, a)
		}
	}
	return rest, own
}

// with is the plot of a node within this one.
func (p plot) with(text string, own []Option) plot {
	return plot{texts: append(slices.Clip(p.texts), text), options: append(slices.Clip(p.options), own...), seed: p.seed}
}

// filling has a container's closure find the container around what it plants.
func (p plot) filling(body func()) func() {
	return func() {
		before := place
		place = p
		depth++
		defer func() {
			depth--
			place = before
		}()
		body()
	}
}

// planted is what the running spec was planted with.
func planted() plot { return plots[ginkgo.CurrentSpecReport().FullText()] }

// inWorld gives a node's function the spec's world, where it wants one.
func inWorld(body any) any {
	switch f := body.(type) {
	case func(*World):
		return func(ctx ginkgo.SpecContext) { f(worldOf(ctx)) }
	case func(ginkgo.SpecContext, *World):
		return func(ctx ginkgo.SpecContext) { f(ctx, worldOf(ctx)) }
	case func(context.Context, *World):
		return func(ctx ginkgo.SpecContext) { f(ctx, worldOf(ctx)) }
	}
	return body
}

// worldOf is the running spec's world, made when it is first asked for. A step
// of it ends with the context: at the spec's timeout, or at Ctrl-C.
func worldOf(ctx context.Context) *World {
	ginkgo.GinkgoHelper()
	if running == nil {
		running = NewWorld()
		ginkgo.DeferCleanup(func() { running = nil })
	}
	running.ctx = ctx
	return running
}

// InWorld makes a table's function of one whose first parameter is the spec's
// world; the others are the entries':
//
//	DescribeTable("a PC with", spec.InWorld(func(w *spec.World, model string) { ... }),
//		Entry("a firmware TPM", "intel-ptt"))
func InWorld(f any) any {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.Type().NumIn() == 0 || v.Type().In(0) != reflect.TypeFor[*World]() {
		panic(fmt.Sprintf("spec.InWorld: want a function whose first parameter is a *spec.World, have a %T", f))
	}
	in := []reflect.Type{reflect.TypeFor[ginkgo.SpecContext]()}
	for i := 1; i < v.Type().NumIn(); i++ {
		in = append(in, v.Type().In(i))
	}
	return reflect.MakeFunc(reflect.FuncOf(in, nil, v.Type().IsVariadic()), func(args []reflect.Value) []reflect.Value {
		args[0] = reflect.ValueOf(worldOf(args[0].Interface().(context.Context)))
		if v.Type().IsVariadic() {
			v.CallSlice(args)
		} else {
			v.Call(args)
		}
		return nil
	}).Interface()
}
