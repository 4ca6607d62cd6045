// Package demo is the newcomer's first minute: it runs the whole product on one
// machine, with a sample CRM as the receiver, and tells what happens.
package demo

import (
	"context"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// leads are the CRM's records, as it exports them. Their numbers are fictional, and each
// chooses what happens when it is called, see docs/dialing.md.
//
//go:embed leads.csv
var leads string

const (
	// leadID is the lead who books an appointment.
	leadID = "lead-1"
	// patience is how long the demo waits for the next webhook: longer than the first
	// retry takes, much shorter than the second.
	patience = 30 * time.Second
	// speed plays a call of a minute in a second and a half.
	speed = 40
)

// Run tells the story. It fails unless the CRM's records were changed by webhooks.
func Run(ctx context.Context, cfg Config) error {
	dir, err := os.MkdirTemp("", "aftercall-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &story{out: cfg.Out, names: map[string]string{}}
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
		Concurrency:   64, EndpointConcurrency: 8, ShutdownTimeout: 5 * time.Second, Log: log,
		SimulatorSpeed: speed, SimulatorSeed: 1,
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
	login      string
	endpointID string
	leads      []Record
	names      map[string]string // by external id
}

// arrival is a webhook that reached the CRM, and how the CRM answered.
type arrival struct {
	id, event  string
	externalID string
	outcome    string // the contact's status, or that of the call
	callID     string
	status     int
}

// tell goes through the setup list of the reference, step by step.
func (s *story) tell(ctx context.Context, dir string) error {
	s.line("")
	s.line("  Aftercall")
	s.line("  A server, an account and a sample CRM now run on this machine, in %s.", dir)
	s.line("  The CRM's leads are about to be called by a simulated voice agent. Watch the results reach the CRM, which is down at first.")
	steps := []func(context.Context, string) error{
		s.openAccount, s.openAgent, s.addEndpoint, s.enableEvents, s.importLeads, s.watchWebhooks, s.checkRecords,
	}
	for _, step := range steps {
		if err := step(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) openAccount(ctx context.Context, dir string) error {
	account := aftercall.Account{Name: "Sunny Solar", Timezone: "America/New_York"}
	access, err := app.CreateAccount(ctx, filepath.Join(dir, "aftercall.db"), s.client.base, &account)
	if err != nil {
		return err
	}
	s.accountID, s.client.key, s.login = account.ID, access.Key, access.LoginURL
	s.step("An account", "%s, with an API key", account.Name)
	s.detail("%s", account.ID)
	return nil
}

// openAgent has the agent call at any time of the day: the demo does not wait for the
// morning in New York.
func (s *story) openAgent(ctx context.Context, _ string) error {
	always := []map[string]string{{"from": "00:00", "to": "24:00"}}
	hours := map[string]any{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		hours[strings.ToLower(day.String())] = always
	}
	var agent struct {
		Title string `json:"title"`
	}
	err := s.client.patch(ctx, "/v2/agents/default", map[string]any{
		"title": "Sunny, the voice agent", "autoDialer": map[string]any{"hours": hours},
		"outcomeFields": []map[string]any{
			{"name": "interest", "type": "boolean", "instructions": "Is the contact interested in solar panels?"},
			{"name": "lost_reason", "type": "category", "instructions": "Why is the contact not interested?",
				"options": []string{"CUSTOMER_NOT_INTERESTED", "CUSTOMER_PREVIOUSLY_CONTACTED", "PRODUCT_TOO_EXPENSIVE"}},
		},
	}, &agent)
	if err != nil {
		return err
	}
	s.step("An agent", "%s; its voice engine is the simulator, which calls nobody", agent.Title)
	s.detail("calls until reached: 3 times on the first day, 2 a day for 3 days, and so on, for 7 days")
	return nil
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
	s.arrived = make(chan arrival, 64)
	go func() {
		server := &http.Server{Handler: s.observe(s.crm), ReadHeaderTimeout: 5 * time.Second}
		context.AfterFunc(ctx, func() { server.Close() })
		_ = server.Serve(listener) // ends with the demo
	}()
	s.step("Endpoint added", "the CRM's webhook address")
	s.detail("%s", s.crmURL)
	s.detail("%s   its secret signs every webhook: %s…", endpoint.ID, secret.Key[:12])
	return nil
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
			Call  struct {
				ID     string `json:"call_id"`
				Status string `json:"call_status"`
			} `json:"call"`
			Contact struct {
				ExternalID string `json:"external_contact_id"`
				Status     string `json:"status"`
			} `json:"contact"`
		}
		_ = json.Unmarshal(body, &envelope) // the CRM says what is wrong with it
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, withBody(r, body))
		a := arrival{
			id: r.Header.Get("svix-id"), event: envelope.Event, externalID: envelope.Contact.ExternalID,
			outcome: firstOf(envelope.Call.Status, envelope.Contact.Status), callID: envelope.Call.ID, status: answer.status,
		}
		select {
		case s.arrived <- a:
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

// importLeads puts the leads into the CRM and hands its export to the dialer.
func (s *story) importLeads(ctx context.Context, _ string) error {
	rows, err := csv.NewReader(strings.NewReader(leads)).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range rows[1:] {
		r := Record{ExternalID: row[0], Name: row[1] + " " + row[2], Phone: row[3], Status: "new"}
		if err := s.crm.AddRecord(ctx, r); err != nil {
			return err
		}
		s.leads = append(s.leads, r)
		s.names[r.ExternalID] = r.Name
	}
	s.crm.FailNext(failures, http.StatusServiceUnavailable)
	query := url.Values{
		"schedule": {`{"agent_id": "default"}`}, "mapping": {`{"Company": "contact_details.company", "Notes": "contact_details.notes"}`},
	}
	var report struct {
		Total int `json:"total"`
	}
	if err := s.client.send(ctx, http.MethodPost, "/v1/import-contacts?"+query.Encode(), "text/csv", []byte(leads), &report); err != nil {
		return err
	}
	s.step("Contacts imported", "%d leads from the CRM's CSV, to be called until reached", report.Total)
	for _, r := range s.leads {
		s.detail("%s   %s", r.Phone, r.Name)
	}
	return nil
}

// failures is how many webhooks the CRM is down for.
const failures = 3

// watchWebhooks shows every webhook until each lead was called and the CRM knows.
func (s *story) watchWebhooks(ctx context.Context, _ string) error {
	s.step("Webhooks sent", "signed, and retried until they are accepted")
	begin := time.Now()
	called := map[string]bool{}
	accepted, refused := map[string]bool{}, map[string]bool{}
	quiet := time.NewTimer(patience)
	defer quiet.Stop()
	for len(called) < len(s.leads) || slices.ContainsFunc(keys(refused), func(id string) bool { return !accepted[id] }) {
		select {
		case a := <-s.arrived:
			quiet.Reset(patience)
			verdict := ""
			switch {
			case a.status >= 300:
				verdict, refused[a.id] = "   the CRM is down; next attempt in 5 seconds", true
			case refused[a.id]:
				verdict = "   arrived with a retry"
			}
			if a.status < 300 {
				accepted[a.id] = true
				if a.event == aftercall.CallEnded {
					called[a.externalID] = true
				}
			}
			s.detail("%5.1f s   %-22s   %-16s   %-11s   %d%s", time.Since(begin).Seconds(), a.event, s.names[a.externalID], a.outcome, a.status, verdict)
		case <-quiet.C:
			return fmt.Errorf("webhooks stopped coming: %d of %d leads were called", len(called), len(s.leads))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func keys(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for key := range set {
		list = append(list, key)
	}
	return list
}

// checkRecords shows the CRM's records, and fails unless they were changed.
func (s *story) checkRecords(ctx context.Context, _ string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	record, err := s.crm.Wait(ctx, leadID, func(r Record) bool {
		return r.Status == "reached" && r.LastCallStatus == "COMPLETED" && r.Appointment != ""
	})
	if err != nil {
		return fmt.Errorf("the CRM's record was not changed: %w", err)
	}
	s.step("CRM records changed", "without anybody typing")
	counts := map[string]int{}
	for _, lead := range s.leads {
		r, err := s.crm.Wait(ctx, lead.ExternalID, func(r Record) bool { return r.Status != "new" && r.LastCallStatus != "" })
		if err != nil {
			return fmt.Errorf("the CRM's record of %s was not changed: %w", lead.Name, err)
		}
		counts[r.Status]++
		s.detail("%-16s   new  →  %-8s   %-11s   %s", r.Name, r.Status, r.LastCallStatus, firstOf(appointed(r), r.LostReason))
	}
	s.line("")
	s.detail("%s", record.Summary)
	if counts["reached"] == 0 || counts["pending"] == 0 || counts["closed"] == 0 {
		return fmt.Errorf("some leads should be reached, some pending and some closed, not %v", counts)
	}
	return nil
}

func appointed(r Record) string {
	at, err := time.Parse(time.RFC3339, r.Appointment)
	if err != nil {
		return ""
	}
	return "appointment on " + at.Format("Monday, 2 January, 15:04 MST")
}

// invite tells what to try next.
func (s *story) invite() {
	s.line("")
	s.line("  The server goes on until you press Ctrl-C: who was not reached is tried again. Look at it in the portal:")
	s.line("")
	s.line("    %s", s.login)
	s.line("")
	s.line("  or by API:")
	s.line("")
	s.line("    curl -H 'Authorization: Bearer %s' \\", s.client.key)
	s.line("      %s/v1/get-contact-by-external-id/%s", s.client.base, leadID)
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

func (s *story) detail(format string, args ...any) {
	s.line("%s", strings.TrimRight("      "+fmt.Sprintf(format, args...), " "))
}
