// Package demo is the newcomer's first minute: it runs the whole product on one
// machine, with a sample CRM as the receiver, and tells what happens.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
)

// Config says how to run the demo.
type Config struct {
	Out  io.Writer
	Exit bool // end by itself; else it goes on until the context ends
	Log  *slog.Logger
}

// leadID is the CRM's own id of the person who is called.
const leadID = "external-123"

// patience is how long the demo waits for the record to change: longer than the
// first retry takes, much shorter than the second.
const patience = 30 * time.Second

// Run tells the story. It fails unless the CRM's record was changed by webhooks.
func Run(ctx context.Context, cfg Config) error {
	dir, err := os.MkdirTemp("", "aftercall-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &story{out: cfg.Out}
	server, err := app.Open(ctx, serverConfig(dir, cfg.Log))
	if err != nil {
		return err
	}
	defer server.Close()
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Run(running) }()
	s.client = client{base: "http://" + server.Addr()}

	err = s.tell(ctx, dir)
	if err == nil && !cfg.Exit {
		s.invite()
		<-ctx.Done()
		s.line("")
	}
	stop()
	if stopped := <-ended; err == nil {
		err = stopped
	}
	if s.crm != nil {
		s.crm.Close()
	}
	return err
}

func serverConfig(dir string, log *slog.Logger) app.Config {
	return app.Config{
		Listen: "127.0.0.1:0", Database: filepath.Join(dir, "aftercall.db"),
		Schedule: aftercall.DefaultSchedule(), DeliveryTimeout: 15 * time.Second, DisableAfter: 5 * 24 * time.Hour,
		// The sample CRM lives on this machine, where webhooks are not sent otherwise.
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Concurrency:   64, EndpointConcurrency: 8, ShutdownTimeout: 5 * time.Second, Log: log, SimulatorSpeed: 60, SimulatorSeed: 1,
	}
}

// story is the demo as it goes on.
type story struct {
	out    io.Writer
	client client
	crm    *CRM
	crmURL string
	// arrived tells of webhooks as they reach the CRM.
	arrived chan arrival

	accountID  string
	endpointID string
	contactID  string
	callID     string
}

// arrival is a webhook that reached the CRM, and how the CRM answered.
type arrival struct {
	id, event string
	status    int
	at        time.Time
}

// tell goes through the setup list of the reference, step by step.
func (s *story) tell(ctx context.Context, dir string) error {
	s.line("")
	s.line("  Aftercall")
	s.line("  A server, an account and a sample CRM now run on this machine, in %s.", dir)
	s.line("  A call is about to end. Watch its result reach the CRM, even though the CRM is down at first.")
	steps := []func(context.Context, string) error{
		s.openAccount, s.addEndpoint, s.enableEvents, s.makeCall, s.watchWebhooks, s.checkRecord,
	}
	for _, step := range steps {
		if err := step(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) openAccount(ctx context.Context, dir string) error {
	account := aftercall.Account{Name: "Sunny Solar", Timezone: "America/Los_Angeles"}
	access, err := app.CreateAccount(ctx, filepath.Join(dir, "aftercall.db"), s.client.base, &account)
	if err != nil {
		return err
	}
	s.accountID, s.client.key = account.ID, access.Key
	s.step("An account", "%s, with an API key", account.Name)
	s.detail("%s", account.ID)
	var contact struct {
		ContactID string `json:"contact_id"`
	}
	err = s.client.post(ctx, "/v1/add-contact", map[string]any{
		"external_contact_id": leadID, "first_name": "Frida", "last_name": "Kahlo", "salutation": "Ms.",
		"phone_number": "+14155552671", "email": "frida@example.com", "timezone": "America/Los_Angeles",
		"contact_details": map[string]string{"company": "Art Studio Inc", "notes": "Interested in solar panels"},
	}, &contact)
	s.contactID = contact.ContactID
	return err
}

func (s *story) addEndpoint(ctx context.Context, dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.crmURL = "http://" + listener.Addr().String() + "/webhooks"
	var endpoint struct {
		ID string `json:"id"`
	}
	path := "/api/v1/app/" + s.accountID + "/endpoint"
	if err := s.client.post(ctx, path, map[string]any{"url": s.crmURL, "description": "Sample CRM"}, &endpoint); err != nil {
		return err
	}
	s.endpointID = endpoint.ID
	var secret struct {
		Key string `json:"key"`
	}
	if err := s.client.get(ctx, path+"/"+endpoint.ID+"/secret", &secret); err != nil {
		return err
	}
	if s.crm, err = OpenCRM(ctx, filepath.Join(dir, "crm.db"), secret.Key); err != nil {
		return err
	}
	s.arrived = make(chan arrival, 16)
	go func() {
		server := &http.Server{Handler: s.observe(s.crm), ReadHeaderTimeout: 5 * time.Second}
		context.AfterFunc(ctx, func() { server.Close() })
		_ = server.Serve(listener) // ends with the demo
	}()
	s.step("Endpoint added", "the CRM's webhook address")
	s.detail("%s", s.crmURL)
	s.detail("%s   its secret signs every webhook: %s…", endpoint.ID, secret.Key[:12])
	return s.crm.AddRecord(ctx, Record{ExternalID: leadID, Name: "Frida Kahlo", Phone: "+14155552671", Status: "new"})
}

// observe notes what reaches the CRM and how it answers.
func (s *story) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
		if err != nil {
			http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
			return
		}
		var envelope struct {
			Event string `json:"event"`
		}
		_ = json.Unmarshal(body, &envelope) // the CRM says what is wrong with it
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, withBody(r, body))
		select {
		case s.arrived <- arrival{r.Header.Get("svix-id"), envelope.Event, answer.status, time.Now()}:
		case <-r.Context().Done():
		}
	})
}

func (s *story) enableEvents(ctx context.Context, _ string) error {
	events := []string{aftercall.CallEnded, aftercall.ContactStatusChanged}
	var endpoint struct {
		EventTypes []string `json:"eventTypes"`
	}
	path := "/api/v1/app/" + s.accountID + "/endpoint/" + s.endpointID
	if err := s.client.patch(ctx, path, map[string]any{"eventTypes": events}, &endpoint); err != nil {
		return err
	}
	s.step("Events enabled", "what the endpoint receives")
	for _, name := range endpoint.EventTypes {
		s.detail("%s", name)
	}
	return nil
}

func (s *story) makeCall(ctx context.Context, _ string) error {
	s.crm.FailNext(2, http.StatusServiceUnavailable)
	ended := time.Now()
	started := ended.Add(-70 * time.Second)
	slot := ended.AddDate(0, 0, 3).UTC().Truncate(time.Hour).Format(time.RFC3339)
	var report struct {
		CallID string `json:"call_id"`
	}
	err := s.client.post(ctx, "/v1/report-call", map[string]any{
		"external_call_id": "demo-call-1", "external_contact_id": leadID, "agent_id": "d8931604-92ad-45cf-9071-d9cd2afbad0c",
		"direction": "outbound", "from_number": "+17755719467", "to_number": "+14155552671",
		"triggered_at": started.Add(-8 * time.Second).UnixMilli(), "started_at": started.UnixMilli(), "ended_at": ended.UnixMilli(),
		"call_status": "COMPLETED", "booked_slot_for": slot,
		"transcriptObject": []map[string]string{
			{"role": "agent", "content": "Hello Ms. Kahlo, this is Sunny Solar. You asked about panels for your studio?"},
			{"role": "user", "content": "Yes! Could somebody come and look at the roof?"},
			{"role": "agent", "content": "Gladly. I have booked a visit in three days, is that fine?"},
			{"role": "user", "content": "That suits me well. Thank you."},
		},
		"call_analysis": map[string]any{
			"summary":     map[string]any{"value": true, "details": "Frida Kahlo wants panels for her studio; a visit to look at the roof is booked."},
			"appointment": map[string]any{"value": true, "details": slot},
			"interest":    map[string]any{"value": true, "details": "Solar panels for her studio"},
		},
	}, &report)
	if err != nil {
		return err
	}
	s.callID = report.CallID
	s.step("Test call made", "a finished call is reported; the CRM is down just now")
	s.detail("\"Could somebody come and look at the roof?\"   →   COMPLETED, 70 seconds")
	s.detail("stored and synced before it was answered: from here on it will arrive")
	return nil
}

// watchWebhooks shows every attempt until both messages were accepted.
func (s *story) watchWebhooks(ctx context.Context, _ string) error {
	s.step("Webhooks sent", "signed, and retried until they are accepted")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := time.Now()
	accepted := map[string]bool{}
	for len(accepted) < 2 {
		select {
		case a := <-s.arrived:
			verdict := "signature verified, accepted"
			if a.status >= 300 {
				verdict = "the CRM is down; next attempt in 5 seconds"
			} else {
				accepted[a.id] = true
			}
			s.detail("%5.1f s   %-22s   %d   %s", a.at.Sub(begin).Seconds(), a.event, a.status, verdict)
		case <-ctx.Done():
			return fmt.Errorf("the webhooks did not arrive: %w", context.Cause(ctx))
		}
	}
	return nil
}

// checkRecord shows the CRM's record, and fails unless it was changed.
func (s *story) checkRecord(ctx context.Context, _ string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	record, err := s.crm.Wait(ctx, leadID, func(r Record) bool { return r.Status == "reached" && r.LastCallStatus == "COMPLETED" })
	if err != nil {
		return fmt.Errorf("the CRM's record was not changed: %w", err)
	}
	s.step("CRM record changed", "without anybody typing")
	s.detail("name          %s", record.Name)
	s.detail("status        new  →  %s", record.Status)
	s.detail("last call     %s", record.LastCallStatus)
	s.detail("summary       %s", record.Summary)
	s.detail("appointment   %s", record.Appointment)
	return nil
}

// invite tells what to try next.
func (s *story) invite() {
	s.line("")
	s.line("  The server goes on until you press Ctrl-C. Try it:")
	s.line("")
	s.line("    curl -H 'Authorization: Bearer %s' \\", s.client.key)
	s.line("      %s/v1/get-call/%s", s.client.base, s.callID)
	s.line("")
	s.line("    curl -H 'Authorization: Bearer %s' \\", s.client.key)
	s.line("      %s/api/v1/app/%s/attempt/endpoint/%s", s.client.base, s.accountID, s.endpointID)
	s.line("")
	s.line("  Svix's SDKs work against %s with this key, telli's clients as well.", s.client.base)
}

func (s *story) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *story) step(title, text string, args ...any) {
	s.line("")
	s.line("  ✓ %-20s %s", title, fmt.Sprintf(text, args...))
}

func (s *story) detail(format string, args ...any) { s.line("      "+format, args...) }
