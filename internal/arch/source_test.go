package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines     = 500
	maxFuncLines     = 80
	maxConstructorIn = 5
)

// values lists the functions that may make a package-level variable, because
// what they return never changes.
func values() []string {
	return []string{
		"errors.New", "fmt.Errorf", "netip.MustParseAddr", "netip.MustParsePrefix", "regexp.MustCompile",
		"strings.NewReplacer",
	}
}

// source is one file under inspection.
type source struct {
	name  string
	test  bool
	set   *token.FileSet
	found []string
}

// checkSource returns what breaks the rules in one file. Generated files are
// exempt.
func checkSource(name string, text []byte) ([]string, error) {
	s := &source{name: name, test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
	file, err := parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	if lines := bytes.Count(text, []byte("\n")); lines > maxFileLines {
		s.report(file.Package, "the file has %d lines, more than %d", lines, maxFileLines)
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			s.checkFunc(d)
		case *ast.GenDecl:
			s.checkVars(d)
		}
	}
	if !s.test {
		ast.Inspect(file, s.checkInterface)
	}
	return s.found, nil
}

func (s *source) report(where token.Pos, format string, args ...any) {
	s.found = append(s.found, at(s.name, s.set.Position(where).Line, format, args...))
}

func (s *source) checkFunc(f *ast.FuncDecl) {
	if f.Recv == nil && f.Name.Name == "init" {
		s.report(f.Pos(), "func init: let the caller begin things")
	}
	lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
	if lines > maxFuncLines {
		s.report(f.Pos(), "%s has %d lines, more than %d", f.Name.Name, lines, maxFuncLines)
	}
	constructor := strings.HasPrefix(f.Name.Name, "New") || strings.HasPrefix(f.Name.Name, "Open")
	if n := f.Type.Params.NumFields(); f.Recv == nil && constructor && n > maxConstructorIn {
		s.report(f.Pos(), "%s has %d parameters, more than %d", f.Name.Name, n, maxConstructorIn)
	}
}

// checkVars refuses package-level variables that can change: their users would
// not be independent of each other. Embedded files, errors, patterns and arrays
// or slices of constants stay.
func (s *source) checkVars(d *ast.GenDecl) {
	if d.Tok != token.VAR || s.test {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			if name.Name == "_" {
				continue
			}
			reason := mutableType(v.Type)
			if reason == "" && i < len(v.Values) {
				reason = mutableValue(v.Values[i])
			}
			if reason != "" {
				s.report(name.Pos(), "variable %s: %s at package level is state that all share", name.Name, reason)
			}
		}
	}
}

func mutableType(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "a pointer"
	case *ast.MapType:
		return "a map"
	case *ast.ChanType:
		return "a channel"
	case *ast.FuncType:
		return "a function"
	case *ast.IndexExpr: // such as atomic.Pointer[T]
		return mutableType(e.X)
	case *ast.SelectorExpr:
		if name := path.Dir(strings.ReplaceAll(dotted(e), ".", "/")); name == "sync" || name == "atomic" {
			return dotted(e)
		}
	}
	return ""
}

func mutableValue(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return mutableValue(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return "a pointer"
		}
	case *ast.CompositeLit:
		return mutableType(e.Type)
	case *ast.FuncLit:
		return "a function"
	case *ast.CallExpr:
		if name := dotted(e.Fun); !slices.Contains(values(), name) {
			return "the result of " + name
		}
	}
	return ""
}

// dotted writes a name as in the source, "pkg.Name".
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return dotted(e.X)
	}
	return "a call"
}

// checkInterface refuses interfaces that are not listed. Sets of types, which
// constrain generic functions, are no such abstractions.
func (s *source) checkInterface(n ast.Node) bool {
	t, ok := n.(*ast.TypeSpec)
	if !ok {
		return true
	}
	declared, ok := t.Type.(*ast.InterfaceType)
	if !ok || isTypeSet(declared) {
		return true
	}
	if name := path.Dir(s.name) + "." + t.Name.Name; !slices.Contains(interfaces(), name) {
		s.report(t.Pos(), "interface %s: declare one when a second implementation ships, and list it in internal/arch", t.Name.Name)
	}
	return true
}

func isTypeSet(t *ast.InterfaceType) bool {
	return slices.ContainsFunc(t.Methods.List, func(element *ast.Field) bool {
		switch e := element.Type.(type) {
		case *ast.BinaryExpr:
			return e.Op == token.OR
		case *ast.UnaryExpr:
			return e.Op == token.TILDE
		}
		return false
	})
}

func TestCheckSource(t *testing.T) {
	statements := func(n int) string { return strings.Repeat("\tprintln()\n", n) }
	for name, test := range map[string]struct{ source, want string }{
		"nothing":           {"", ""},
		"long file":         {strings.Repeat("\n", maxFileLines), "more than 500"},
		"file at the limit": {strings.Repeat("\n", maxFileLines-2), ""},
		"long function":     {"func f() {\n" + statements(maxFuncLines-1) + "}\n", "f has 81 lines"},
		"long method":       {"func (t T) M() {\n" + statements(maxFuncLines-1) + "}\n", "M has 81 lines"},
		"function at limit": {"func f() {\n" + statements(maxFuncLines-2) + "}\n", ""},
		"wide constructor":  {"func NewT(a, b, c int, d, e, f string) {}\n", "NewT has 6 parameters"},
		"wide opener":       {"func Open(a, b, c int, d, e, f string) {}\n", "Open has 6 parameters"},
		"five parameters":   {"func NewT(a, b, c int, d, e string) {}\n", ""},
		"wide method":       {"func (T) NewX(a, b, c int, d, e, f string) {}\n", ""},
		"init":              {"func init() {}\n", "func init"},
		"a method init":     {"func (T) init() {}\n", ""},
		"map":               {"var m = map[string]int{}\n", "a map"},
		"typed map":         {"var m map[string]int\n", "a map"},
		"made map":          {"var m = make(map[string]int)\n", "the result of make"},
		"channel":           {"var c chan int\n", "a channel"},
		"pointer":           {"var p *T\n", "a pointer"},
		"address":           {"var p = &T{}\n", "a pointer"},
		"mutex":             {"var mu sync.Mutex\n", "sync.Mutex"},
		"pool":              {"var pool = sync.Pool{}\n", "sync.Pool"},
		"once":              {"var once = sync.OnceValue(f)\n", "the result of sync.OnceValue"},
		"atomic":            {"var p atomic.Pointer[T]\n", "atomic.Pointer"},
		"function variable": {"var now = func() int { return 1 }\n", "a function"},
		"logger":            {"var log = slog.Default()\n", "the result of slog.Default"},
		"second of two":     {"var (\n\ta = 1\n\tb = new(int)\n)\n", "variable b"},
		"error":             {"var ErrGone = errors.New(\"gone\")\n", ""},
		"pattern":           {"var p = regexp.MustCompile(`x`)\n", ""},
		"table":             {"var t = []string{\"a\"}\nvar u = [...]int{1, 2}\nvar s = T{1}\n", ""},
		"embedded":          {"//go:embed x\nvar files embed.FS\n", ""},
		"assertion":         {"var _ io.Reader = (*T)(nil)\n", ""},
		"local map":         {"func f() {\n\tvar m = map[string]int{}\n\t_ = m\n}\n", ""},
		"interface":         {"type Sender interface{ Send() }\n", "interface Sender"},
		"local interface":   {"func f() {\n\ttype x interface{ M() }\n}\n", "interface x"},
		"listed interface":  {"type querier interface{ Query() }\n", ""},
		"type set":          {"type number interface{ ~int | ~float64 }\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := "package store\n" + test.source
			found, err := checkSource("internal/store/x.go", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if ok := len(found) == 0; ok != (test.want == "") || !ok && !strings.Contains(found[0], test.want) {
				t.Errorf("found %q, want %q", found, test.want)
			}
			generated := "// Code generated by a test. DO NOT EDIT.\n\n" + text
			if found, err := checkSource("internal/store/x.go", []byte(generated)); err != nil || len(found) > 0 {
				t.Errorf("generated: found %q, %v", found, err)
			}
		})
	}
	inTest := "package store\n\nvar m = map[string]int{}\n\ntype fake interface{ M() }\n"
	if found, err := checkSource("internal/store/x_test.go", []byte(inTest)); err != nil || len(found) > 0 {
		t.Errorf("in a test: found %q, %v", found, err)
	}
	found, err := checkSource("internal/store/x_test.go", []byte("package store\n\n\nfunc init() {}\n"))
	if want := "internal/store/x_test.go:4: func init: let the caller begin things"; err != nil || fmt.Sprint(found) != "["+want+"]" {
		t.Errorf("found %q, %v", found, err)
	}
}
