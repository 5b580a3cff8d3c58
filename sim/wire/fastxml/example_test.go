package fastxml_test

import (
	"fmt"

	"windtunnel.test/sim/wire/fastxml"
)

func Example() {
	s := fastxml.New([]byte(`<Item><Data>1 &lt; 2</Data></Item>`))
	for t, ok := s.Next(); ok; t, ok = s.Next() {
		if t.Kind == fastxml.Text {
			fmt.Println(string(t.Text))
		}
	}
	fmt.Println(s.Odd())
	// Output:
	// 1 < 2
	// false
}
