package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

const (
	importRows    = 10_000
	importCrashes = 8
)

// TestImportCrash kills the program again and again while it imports contacts that have
// no id of their own: a row that was applied twice would be a person twice.
func TestImportCrash(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { importCrash(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { importCrash(t, storetest.Postgres(t)) })
}

func importCrash(t *testing.T, database string) {
	account := aftercall.Account{Name: "crash"}
	access, err := app.CreateAccount(t.Context(), database, "http://x", &account)
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, database: database}
	v.start()
	var file strings.Builder
	file.WriteString("first_name,last_name,phone,contact_details.row\n")
	for n := range importRows {
		fmt.Fprintf(&file, "Frida,Kahlo,+4930%07d,%d\n", n, n)
	}
	ask := func(method, path, body string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, v.base.Load().(string)+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+access.Key)
		response, err := http.DefaultClient.Do(request)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %v %v", method, path, response, err)
		}
		return response
	}
	type progress struct {
		ID        string         `json:"import_id"`
		Status    string         `json:"status"`
		Processed int            `json:"processed"`
		Counts    map[string]int `json:"counts"`
	}
	read := func(response *http.Response) (p progress) {
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := read(ask(http.MethodPost, "/v1/import-contacts", file.String()))
	for round := range importCrashes {
		<-time.After(time.Duration(20+rand.IntN(150)) * time.Millisecond)
		v.kill()
		v.start()
		p = read(ask(http.MethodGet, "/v1/imports/"+p.ID, ""))
		t.Logf("crash %d: %d of %d", round+1, p.Processed, importRows)
	}
	for deadline := time.Now().Add(time.Minute); p.Status != "finished"; p = read(ask(http.MethodGet, "/v1/imports/"+p.ID, "")) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: %+v", p)
		}
		<-time.After(20 * time.Millisecond)
	}
	if p.Counts["create"] != importRows || p.Processed != importRows {
		t.Errorf("counted %+v", p)
	}
	exported := ask(http.MethodGet, "/v1/export-contacts", "")
	defer exported.Body.Close()
	rows, err := csv.NewReader(exported.Body).ReadAll()
	if err != nil || len(rows) != importRows+1 {
		t.Fatalf("%d rows were exported, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row[len(row)-1]] = true
	}
	if len(seen) != importRows+1 {
		t.Errorf("%d different rows were exported", len(seen))
	}
	v.stop()
}
