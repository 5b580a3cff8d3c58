package ldap

import (
	"strings"
	"testing"

	peer "github.com/go-ldap/ldap/v3"
	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestFilterText(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"(cn=Babs Jensen)", "(cn=Babs Jensen)"},
		{"objectClass=*", "(objectClass=*)"},
		{"(!(cn=Tim Howes))", "(!(cn=Tim Howes))"},
		{"(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))", "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))"},
		{" ( & (a=b) (c=d) ) ", "(&(a=b)(c=d))"},
		{"(o=univ*of*mich*)", "(o=univ*of*mich*)"},
		{"(cn=**x)", "(cn=*x)"},
		{"(seeAlso=)", "(seeAlso=)"},
		{"(cn:caseExactMatch:=Fred Flintstone)", "(cn:caseExactMatch:=Fred Flintstone)"},
		{"(cn:=Betty Rubble)", "(cn:=Betty Rubble)"},
		{"(sn:dn:2.4.6.8.10:=Barney Rubble)", "(sn:dn:2.4.6.8.10:=Barney Rubble)"},
		{"(o:dn:=Ace Industry)", "(o:dn:=Ace Industry)"},
		{"(:1.2.3:=Wilma Flintstone)", "(:1.2.3:=Wilma Flintstone)"},
		{"(:DN:2.4.6.8.10:=Dino)", ""},
		{`(o=Parens R Us \28for all your parenthetical needs\29)`, `(o=Parens R Us \28for all your parenthetical needs\29)`},
		{`(cn=*\2A*)`, `(cn=*\2A*)`},
		{`(bin=\00\00\00\04)`, `(bin=\00\00\00\04)`},
		{"(sn=Lučić)", `(sn=Lu\C4\8Di\C4\87)`},
		{"(a>=5)", "(a>=5)"}, {"(a<=5)", "(a<=5)"}, {"(a~=5)", "(a~=5)"},
		{"(&)", "(&)"}, {"(|)", "(|)"},
		{"(member;range=0-5=x)", "(member;range=0-5=x)"},
		{"", ""}, {"()", ""}, {"(", ""}, {"(a", ""}, {"(a)", ""}, {"(=b)", ""}, {"(a=b", ""}, {"(a=b))", ""}, {"(a=b)(c=d)", ""},
		{"(!)", ""}, {"(!(a=b)(c=d))", ""}, {`(a=\2)`, ""}, {`(a=\zz)`, ""}, {"(a>=b*c)", ""}, {"(cn=**)", ""}, {"(a b=c)", ""},
		{"(:=x)", ""}, {"(::=x)", ""}, {"(a=(b))", ""},
	} {
		t.Run(c.in, func(t *testing.T) {
			g := gomega.NewWithT(t)
			f, err := ParseFilter(c.in)
			if c.out == "" {
				g.Expect(err).To(gomega.BeAssignableToTypeOf(&SyntaxError{}))
				return
			}
			if c.in == "(member;range=0-5=x)" { // the first = is the operator, whatever was meant
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(f.Attribute).To(gomega.Equal("member;range"))
				return
			}
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(f.String()).To(gomega.Equal(c.out))
		})
	}
}

func TestFilterLimits(t *testing.T) {
	g := gomega.NewWithT(t)
	deep := strings.Repeat("(!", 200) + "(a=b)" + strings.Repeat(")", 200)
	_, err := ParseFilter(deep)
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("nested too deeply")))
	_, err = ParseFilter("(|" + strings.Repeat("(a=b)", 5000) + ")")
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("too many terms")))
	_, err = ParseFilter(strings.Repeat("(", 2<<20))
	g.Expect(err).To(gomega.HaveOccurred())

	f := Eq("a", "b")
	for range 200 {
		f = &Filter{Kind: Not, Children: []*Filter{f}}
	}
	_, err = Decode((&Message{ID: 1, Op: &SearchRequest{Filter: f}}).Append(nil), Limits{})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("nested too deeply")))
	wide := AnyOf()
	for range 5000 {
		wide.Children = append(wide.Children, Eq("a", "b"))
	}
	_, err = Decode((&Message{ID: 1, Op: &SearchRequest{Filter: wide}}).Append(nil), Limits{})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("too many terms")))
	parts := &Filter{Kind: Substrings, Attribute: "a", Any: make([][]byte, 5000)}
	_, err = Decode((&Message{ID: 1, Op: &SearchRequest{Filter: parts}}).Append(nil), Limits{})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("too many terms")))
	_, err = Decode((&Message{ID: 1, Op: &SearchRequest{Filter: f.Children[0], Attributes: make([]string, 5000)}}).Append(nil), Limits{FilterDepth: 300})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("5000 attributes")))
}

func TestFiltersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		f := anyFilter(t, 4)
		again, err := ParseFilter(f.String())
		g.Expect(err).NotTo(gomega.HaveOccurred(), f.String())
		g.Expect(again.append(nil)).To(gomega.Equal(f.append(nil)), f.String())
		other, err := peer.CompileFilter(f.String())
		if err != nil { // it knows no empty conjunctions
			return
		}
		c := cursor{other.Bytes()}
		read, err := c.filter(&filterBudget{10, 1000}, 0)
		g.Expect(err).NotTo(gomega.HaveOccurred(), f.String())
		g.Expect(read.append(nil)).To(gomega.Equal(f.append(nil)), f.String())
	})
}

func TestEscapeFilter(t *testing.T) {
	g := gomega.NewWithT(t)
	f, err := ParseFilter("(cn=" + EscapeFilter("a*(b)\\\x00ü") + ")")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(f).To(gomega.Equal(Eq("cn", "a*(b)\\\x00ü")))
	g.Expect(func() { MustFilter("(") }).To(gomega.Panic())
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"(&(a=b)(!(c=*)))", "(cn=a*b*c)", "(a:dn:1.2:=x)", `(a=\2a)`, "((", "(|(", "a>=\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseFilter(s)
		if err != nil {
			return
		}
		again, err := ParseFilter(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q reads as %s, and that as %v %v", s, p, again, err)
		}
	})
}
