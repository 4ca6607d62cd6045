package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

// engineCalls is how many contacts are called.
const engineCalls = 20

// TestVoiceEngine has the real program place calls through the documented sample of a
// voice engine, which is a program of its own, and sees what the CRM is told.
func TestVoiceEngine(t *testing.T) {
	sample := filepath.Join(t.TempDir(), "voice-engine")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", sample, "../../docs/samples/voice-engine-go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Run("sqlite", func(t *testing.T) { callThroughSample(t, sample, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { callThroughSample(t, sample, storetest.Postgres(t)) })
}

func callThroughSample(t *testing.T, sample, database string) {
	ended := make(chan aftercall.CallView, 2*engineCalls)
	crm := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct{ Call aftercall.CallView }
		if body, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(body), "call_ended") && json.Unmarshal(body, &event) == nil {
			ended <- event.Call
		}
	}))
	defer crm.Close()
	address := freeAddress(t)
	agent, key := sampleAgent(t, database, "http://"+address)
	runSample(t, sample, "ADDRESS="+address, "SECRET="+agent.Engine.Secret.Reveal(), "CALLS="+t.TempDir())

	v := &victim{t: t, database: database}
	v.start()
	v.call(http.MethodPost, "/api/v1/app/"+agent.AccountID+"/endpoint", fmt.Sprintf(`{"url": %q}`, crm.URL), 201)
	contacts := map[string]bool{}
	for i := range engineCalls {
		contact := v.ask(key, "/v1/add-contact", fmt.Sprintf(`{"first_name": "Ada", "last_name": "Lovelace", "phone_number": "+120255501%02d"}`, i))["contact_id"].(string)
		contacts[contact] = true
		v.ask(key, "/v1/schedule-call", fmt.Sprintf(`{"contact_id": %q, "agent_id": %q}`, contact, agent.ID))
	}
	deadline := time.After(time.Minute)
	for len(contacts) > 0 {
		select {
		case call := <-ended:
			if !contacts[call.ContactID] {
				t.Fatalf("told twice, or of somebody else: %+v", call)
			}
			delete(contacts, call.ContactID)
			if call.AgentID != agent.ID || call.Status != aftercall.CallAnswered || !strings.Contains(call.Transcript, "Contact: Yes, please do.") {
				t.Errorf("told %+v", call)
			}
		case <-deadline:
			t.Fatalf("%d calls did not end\n%s", len(contacts), v.stderr.String())
		}
	}
	v.stop()
	if log := v.stderr.String(); strings.Contains(log, "120255501") || strings.Contains(log, "please do") {
		t.Errorf("numbers, or what was said, are in the log:\n%s", log)
	}
}

// sampleAgent adds an account with an agent of the sample, that calls at any time.
func sampleAgent(t *testing.T, database, url string) (aftercall.Agent, string) {
	t.Helper()
	if _, err := store.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	account := aftercall.Account{Name: "Sunny Solar", Timezone: "UTC"}
	access, err := app.CreateAccount(t.Context(), database, "", &account)
	if err != nil {
		t.Fatal(err)
	}
	agent := aftercall.NewAgent(account.ID, time.Now())
	agent.Title = "sample"
	agent.Engine.Kind, agent.Engine.URL = aftercall.HTTPEngine, url
	for day := range agent.Dialing.Hours.Week {
		agent.Dialing.Hours.Week[day] = []aftercall.Range{{From: 0, To: 24 * 60}}
	}
	if err := dialer.New(s, dialer.Config{}).AddAgent(t.Context(), &agent); err != nil {
		t.Fatal(err)
	}
	return agent, access.Key
}

// runSample runs a program until the test ends.
func runSample(t *testing.T, program string, env ...string) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// ask posts with an account's key, and must be answered 200.
func (v *victim) ask(key, path, body string) map[string]any {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.base.Load().(string)+path, bytes.NewReader([]byte(body)))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		v.t.Fatalf("POST %s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}
