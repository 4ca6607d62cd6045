package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aftercall/aftercall/internal/store/storetest"
)

// tests runs the package's tests beside a PostgreSQL server.
type tests struct{ m *testing.M }

func (t tests) Run() int { return storetest.Main(t.m) }

// TestMain lets the test binary also be the program, for the scripts to run.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"aftercall": main})
}

// TestScripts runs every script of test/script against the real program, on SQLite
// and on PostgreSQL.
func TestScripts(t *testing.T) {
	databases := map[string]func(testing.TB) string{
		"sqlite": storetest.SQLite, "postgres": storetest.Postgres,
	}
	scripts, err := filepath.Glob("../../test/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts: ", err)
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			for _, script := range scripts {
				t.Run(filepath.Base(script), func(t *testing.T) {
					t.Parallel()
					url := database(t)
					testscript.Run(t, testscript.Params{
						Files:               []string{script},
						RequireExplicitExec: true,
						Setup: func(e *testscript.Env) error {
							e.Setenv("AFTERCALL_DB", url)
							e.Setenv("AFTERCALL_OPERATOR_KEY", "operator")
							e.Setenv("DATABASE", name)
							e.Setenv("HOME", e.WorkDir)
							e.Setenv("SINCE", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
							e.Values[receiversKey{}] = receivers{}
							return nil
						},
						Cmds: scriptCommands(),
					})
				})
			}
		})
	}
}
