// Package arch holds the project's structure by tests: who may import whom, and
// how large things may grow. A rule that hurts is changed here, with its reason,
// in a reviewed commit; there is no list of exceptions.
package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/aftercall/aftercall"

// imports is the dependency rule: what a package may import of ours. "root" is
// the package of nouns, "*" any one name. Test files are exempt. A package that
// no line matches is refused, so that a new one is a decision.
func imports() map[string][]string {
	engine := []string{"root", "internal/store"}
	face := []string{
		"root", "internal/store", "internal/dialer", "internal/webhook", "internal/auth", "internal/web", "internal/openapi",
	}
	return map[string][]string{
		"root":                     nil,
		"signature":                nil,
		"internal/arch":            nil,
		"internal/store":           {"root"},
		"internal/store/storetest": engine,
		"internal/dialer":          engine,
		"internal/analysis":        engine,
		"internal/retention":       engine,
		"internal/auth":            engine,
		"internal/webhook":         append(slices.Clone(engine), "signature"),
		"internal/voice/wire":      {"root", "signature", "internal/dialer"},
		"internal/voice/*":         {"root", "internal/dialer", "internal/voice/wire"},
		"internal/openapi":         {"root"},
		"internal/web":             {"root", "internal/store", "internal/auth", "internal/openapi"},
		"internal/api/*":           face,
		"internal/portal":          face,
		"internal/takeover":        {"root", "internal/store"},
		"internal/app": append(slices.Clone(face), "signature", "internal/takeover", "internal/analysis", "internal/retention",
			"internal/voice/*", "internal/api/*", "internal/portal"),
		"internal/demo":   {"root", "signature", "internal/store", "internal/app"},
		"internal/bench":  {"root", "signature", "internal/store", "internal/app"},
		"internal/listen": {"root", "signature", "internal/store", "internal/app"},
		"docs/samples/*":  {"signature"}, // what anybody else could import
		"cmd/aftercall": {
			"root", "signature", "internal/app", "internal/demo", "internal/bench", "internal/listen",
		},
	}
}

// impure lists what the root package must not import: its rules are pure.
func impure() []string {
	return []string{"database/sql", "io/fs", "log", "log/slog", "net", "net/http", "os", "os/exec", "syscall"}
}

// interfaces lists those that we declare, each because a second implementation
// ships or because two of the standard library's types have to be one.
func interfaces() []string {
	return []string{
		"internal/dialer.VoiceEngine", // one per voice engine
		"internal/store.querier",      // a transaction, and SQLite's writer connection
	}
}

// listed is a package as "go list" tells it.
type listed struct {
	ImportPath string
	Imports    []string
}

// checkImports returns what breaks the dependency rule.
func checkImports(rules map[string][]string, packages []listed) []string {
	var found []string
	for _, p := range packages {
		name := short(p.ImportPath)
		rule, ok := match(rules, name)
		if !ok {
			found = append(found, name+" is not in the table of internal/arch")
			continue
		}
		for _, imported := range p.Imports {
			switch {
			case imported == module || strings.HasPrefix(imported, module+"/"):
				if !slices.ContainsFunc(rule, func(pattern string) bool { return matches(pattern, short(imported)) }) {
					found = append(found, name+" must not import "+short(imported))
				}
			case name == "root" && slices.Contains(impure(), imported):
				found = append(found, "root must not do I/O, so not import "+imported)
			case name == "signature" && strings.Contains(imported, "."):
				found = append(found, "signature must not make its users depend on "+imported)
			}
		}
	}
	return found
}

func short(importPath string) string {
	if importPath == module {
		return "root"
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// match finds the line of a package: that of its name, else one of its kind.
func match(rules map[string][]string, name string) ([]string, bool) {
	if rule, ok := rules[name]; ok {
		return rule, true
	}
	for pattern, rule := range rules {
		if matches(pattern, name) {
			return rule, true
		}
	}
	return nil, false
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func TestImports(t *testing.T) {
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "./...")
	command.Dir = moduleDir
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 3 {
		t.Fatalf("go list knows only %d packages", len(packages))
	}
	for _, finding := range checkImports(imports(), packages) {
		t.Error(finding)
	}
}

func TestSources(t *testing.T) {
	files := 0
	err := filepath.WalkDir(moduleDir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); name != moduleDir && (base == "testdata" || base == "tools" || strings.HasPrefix(base, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(moduleDir, name)
		if err != nil {
			return err
		}
		files++
		findings, err := checkSource(filepath.ToSlash(relative), text)
		if err != nil {
			return err
		}
		for _, finding := range findings {
			t.Error(finding)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 3 {
		t.Fatalf("found only %d files", files)
	}
}

// moduleDir is where go.mod is, seen from here, where go test runs.
const moduleDir = "../.."

func TestCheckImports(t *testing.T) {
	ours := func(names ...string) []string {
		var paths []string
		for _, name := range names {
			paths = append(paths, module+"/"+name)
		}
		return paths
	}
	for name, test := range map[string]struct {
		pkg     string
		imports []string
		want    string
	}{
		"allowed":                     {"internal/store", []string{module, "os", "github.com/jackc/pgx/v5"}, ""},
		"root, pure":                  {"", []string{"time", "github.com/google/uuid"}, ""},
		"root, I/O":                   {"", []string{"net/http"}, "root must not do I/O, so not import net/http"},
		"root, ours":                  {"", ours("internal/store"), "root must not import internal/store"},
		"signature, ours":             {"signature", []string{module}, "signature must not import root"},
		"signature, others'":          {"signature", []string{"github.com/x/y"}, "signature must not make its users depend on github.com/x/y"},
		"upwards":                     {"internal/store", ours("internal/webhook"), "internal/store must not import internal/webhook"},
		"sideways":                    {"internal/dialer", ours("internal/webhook"), "internal/dialer must not import internal/webhook"},
		"face to engine":              {"internal/api/svix", ours("internal/webhook", "internal/web"), ""},
		"face to face":                {"internal/api/svix", ours("internal/api/telli"), "internal/api/svix must not import internal/api/telli"},
		"face to app":                 {"internal/portal", ours("internal/app"), "internal/portal must not import internal/app"},
		"voice engine":                {"internal/voice/vapi", ours("internal/dialer"), ""},
		"voice engine to another":     {"internal/voice/vapi", ours("internal/voice/retell"), "internal/voice/vapi must not import internal/voice/retell"},
		"app to a voice engine":       {"internal/app", ours("internal/voice/vapi", "internal/api/telli"), ""},
		"app to what tests need":      {"internal/app", ours("internal/store/storetest"), "internal/app must not import internal/store/storetest"},
		"command to an engine":        {"cmd/aftercall", ours("internal/webhook"), "cmd/aftercall must not import internal/webhook"},
		"unknown package":             {"internal/util", nil, "internal/util is not in the table of internal/arch"},
		"unknown package, one deeper": {"internal/voice/vapi/wire", nil, "internal/voice/vapi/wire is not in the table of internal/arch"},
	} {
		t.Run(name, func(t *testing.T) {
			importPath := strings.TrimSuffix(module+"/"+test.pkg, "/")
			found := checkImports(imports(), []listed{{ImportPath: importPath, Imports: test.imports}})
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if !slices.Equal(found, want) {
				t.Errorf("found %q, want %q", found, want)
			}
		})
	}
}

// at makes the text of a finding.
func at(name string, line int, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", name, line, fmt.Sprintf(format, args...))
}
