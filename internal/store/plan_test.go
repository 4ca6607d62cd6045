package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
)

// listener hears of every statement.
type listener struct {
	querier
	heard map[string]bool
}

func (l listener) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	l.heard[query] = true
	return l.querier.ExecContext(ctx, query, args...)
}

func (l listener) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	l.heard[query] = true
	return l.querier.QueryContext(ctx, query, args...)
}

// No statement's time may grow with the tables: each has to go by an index. SQLite
// once chose to read all deliveries, but only for a record of 256 attempts.
func TestNoStatementReadsWholeTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aftercall.db")
	if _, err := Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	heard := map[string]bool{}
	err = s.Update(t.Context(), func(tx *Tx) error {
		tx.q = listener{tx.q, heard}
		return askEverything(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(heard) < 60 {
		t.Errorf("only %d statements were heard", len(heard))
	}
	parameter := regexp.MustCompile(`\$(\d+)`)
	scan := regexp.MustCompile(`^SCAN (message|message_event|idempotency|delivery|d|attempt|call|contact|property|phone_number|import_file|import_error|run|r|live_call|voice_event|dial_record|blocked_number)\b`)
	whole := regexp.MustCompile(`^SEARCH (delivery|d|run|r|voice_event|dial_record) .*\(account_id=\?\)`)                      // all that an account has; of live calls there are few
	paged := regexp.MustCompile(`FROM run WHERE account_id = \$1 (AND id < \$2 )?ORDER BY id|SELECT MAX\(id\) FROM run WHERE`) // in the order of the index
	deleted := regexp.MustCompile(`^DELETE FROM \w+ WHERE account_id = \$1$`)                                                  // with the account
	for query := range heard {
		distinct := map[string]bool{}
		for _, name := range parameter.FindAllString(query, -1) {
			distinct[name] = true
		}
		for _, step := range plan(t, s, query, len(distinct)) {
			bounded := strings.HasSuffix(step, "COVERING INDEX delivery_due") && strings.Contains(query, "LIMIT") ||
				strings.HasSuffix(step, "INDEX voice_event_new") && strings.Contains(query, "LIMIT") ||
				strings.HasSuffix(step, "COVERING INDEX phone_number_master_key") // an account has few, and nobody waits for it
			if whole.MatchString(step) && !deleted.MatchString(query) && !paged.MatchString(query) || scan.MatchString(step) && !bounded || strings.Contains(step, "AUTOMATIC") {
				t.Errorf("%s:\n%.700s", step, query)
			}
		}
	}
}

func plan(t *testing.T, s *Store, query string, parameters int) (steps []string) {
	t.Helper()
	rows, err := s.group.conn.conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, parameters)...)
	if err != nil {
		t.Fatalf("%v: %.300s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// askEverything calls the verbs whose tables grow, with as many rows as they take at once.
func askEverything(tx *Tx) error {
	const account, endpoint, contact = "app_1", "ep_1", "11111111-1111-1111-1111-111111111111"
	ref := EndpointRef{account, endpoint}
	messages := make([]*aftercall.Message, chunks[0])
	deliveries := make([]aftercall.Delivery, len(messages))
	outcomes := make([]Outcome, len(messages))
	ids := make([]string, len(messages))
	for i := range messages {
		id := aftercall.NewID(aftercall.MessagePrefix, tx.now)
		ids[i] = id
		messages[i] = &aftercall.Message{AccountID: account, ID: id, EventType: "x", Payload: []byte("{}"), CreatedAt: tx.now, ContactID: contact}
		deliveries[i] = aftercall.Delivery{AccountID: account, EndpointID: endpoint, MessageID: id}
		attempt := aftercall.Attempt{AccountID: account, EndpointID: endpoint, MessageID: id, ID: aftercall.NewID(aftercall.AttemptPrefix, tx.now)}
		outcomes[i] = Outcome{attempt, deliveries[i], deliveries[i]}
	}
	page := Page{Limit: 50}
	cursor := Page{Limit: 50, After: ids[0]}
	back := Page{Limit: 50, Before: ids[0]}
	steps := []func() error{
		func() error { return tx.InsertAccount(aftercall.Account{ID: account}) },
		func() error {
			return tx.InsertEndpoint(aftercall.Endpoint{AccountID: account, ID: endpoint, Signature: aftercall.SignHMAC, Version: 1}, aftercall.NewSecret(aftercall.HMAC, tx.now))
		},
		func() error { return tx.Publish(messages...) },
		func() error { return tx.PutDeliveries(deliveries) },
		func() error { return second(tx.Claim(ref, 512, tx.now)) },
		func() error { return tx.Release(ref, ids) },
		func() error { return tx.ReleaseFresh(ref) },
		func() error { return second(tx.DueEndpoints()) },
		func() error { return second(tx.NextDue(ref)) },
		func() error { return tx.Record(outcomes) },
		func() error { return tx.Record(outcomes[:0]) },
		func() error { return second(tx.StopDeliveries(ref, "x", 100)) },
		func() error { return second(tx.StoppedEndpoints()) },
		func() error { return second(tx.FailedDeliveries(ref, ids[0], ids[9], 50)) },
		func() error { return second(tx.CountFailed(ref, ids[0], ids[9])) },
		func() error { return second(tx.EndpointStats(ref, tx.now, tx.now)) },
		func() error { return second(tx.Tally([]EndpointRef{ref, ref}, tx.now, time.Hour, 24)) },
		func() error { return second(tx.CountMissing(ref, []string{"call_ended"}, ids[0], ids[9])) },
		func() error { _, _, err := tx.Backlog(100); return err },
		func() error { return second(tx.AccountState(account)) },
		func() error { return tx.InsertAudit(Audit{AccountID: account, Actor: "operator", Action: "a"}) },
		func() error { return second(tx.Audits(Page{Limit: 50, Descending: true})) },
		func() error { return second(tx.DeleteOldAudits(100)) },
		func() error { return second(tx.CountCalls(account, tx.now, time.Hour, 24)) },
		func() error { return second(tx.CountContacts(account)) },
		func() error { return second(tx.OldestDue(account)) },
		func() error { return second(tx.Delivery(ref, ids[0])) },
		func() error { return second(tx.Deliveries(account, ids[0])) },
		func() error { return second(tx.Message(account, ids[0])) },
		func() error { return second(tx.ClaimEventID(account, "e", ids[0])) },
		func() error { return second(tx.SucceededSince(ref, tx.now)) },
		func() error { return tx.SaveHealth(ref, aftercall.Health{}) },
		func() error { return tx.EraseMessages(account, ids...) },
		func() error { return second(tx.ContactMessages(account, contact)) },
		func() error { return second(tx.ExpiredMessages(100)) },
		func() error { return tx.EraseAttempt(account, ids[0], outcomes[0].Attempt.ID) },
	}
	for _, p := range []Page{page, cursor, back} {
		steps = append(steps,
			func() error { return second(tx.Messages(account, MessageFilter{}, p)) },
			func() error { return second(tx.EndpointMessages(ref, DeliveryFilter{}, p)) },
			func() error { return second(tx.MessageEndpoints(account, ids[0], p)) },
			func() error { return second(tx.Attempts(account, AttemptFilter{EndpointID: endpoint}, p)) },
			func() error { return second(tx.Attempts(account, AttemptFilter{MessageID: ids[0]}, p)) },
		)
	}
	steps = append(steps, otherSteps(tx, ref, ids)...)
	steps = append(steps, slices.Concat(importSteps(tx, account, contact, ids), callingSteps(tx, AgentRef{account, contact}))...)
	steps = append(steps, dialerSteps(tx, account, contact)...)
	steps = append(steps, numberSteps(tx, account)...)
	steps = append(steps, schedulerSteps(tx, account, contact)...)
	steps = append(steps, contactSteps(tx, account, contact)...)
	for _, step := range steps {
		if err := step(); err != nil && aftercall.KindOf(err) != aftercall.NotFound {
			return err
		}
	}
	return nil
}

func otherSteps(tx *Tx, ref EndpointRef, ids []string) []func() error {
	account := ref.AccountID
	once := &Once{AccountID: account}
	return []func() error{
		func() error { return second(tx.ClaimOnce([]OnceClaim{{once, ids[0]}, {&Once{Key: [32]byte{1}}, ""}})) },
		func() error { return tx.KeepAnswer(once, 200, nil) },
		func() error { return tx.GiveUpOnce(once) },
		func() error { return second(tx.ForgetOnce(account, 100)) },
		func() error { return tx.ExpirePortalTokens(account, []string{"s"}, tx.now) },
		func() error { return second(tx.DeleteExpiredPortalTokens(100)) },
		func() error { return tx.DeleteSessionsOfKey(account, "key_1") },
		func() error { return tx.InsertSession(Session{AccountID: account, ID: "s"}, []byte("x")) },
		func() error { return second(tx.SessionByHash([]byte("x"))) },
		func() error { return second(tx.Sessions(account)) },
		func() error { return tx.TouchSession(account, "s", tx.now) },
		func() error { return tx.DeleteSession(account, "s") },
		func() error { return second(tx.DeleteExpiredSessions(100)) },
		func() error { return second(tx.TakeLogin([]byte("x"))) },
		func() error { return second(tx.DeleteExpiredLogins(100)) },
		func() error { return second(tx.masterKeysUsed()) },
		func() error { return second(tx.resealSecrets("", 100)) },
		func() error { return second(tx.resealTrunks("", 100)) },
		func() error { return second(tx.DeliveriesTo(ref, ids)) },
		func() error { return second(tx.Answered(ref, 500, ids)) },
		func() error { return second(tx.CountMessages(account, ids[0], ids[9])) },
		func() error { return second(tx.Wanted(account, "x", nil)) },
		func() error {
			return second(tx.EventTypes(EventTypeFilter{Gated: true, Flags: []string{"a"}}, Page{Limit: 50}))
		},
		func() error { return second(tx.RunningTasks()) },
		func() error { return second(tx.Accounts(AccountFilter{true, true}, Page{Limit: 50})) },
		func() error { return tx.PutIntegration(Integration{AccountID: account, ID: "integ_1"}) },
		func() error { return second(tx.Integration(account, "integ_1")) },
		func() error { return second(tx.IntegrationByHash([]byte("x"))) },
		func() error { return second(tx.Integrations(account, Page{Limit: 50})) },
		func() error { return tx.SetIntegrationKey(account, "integ_1", []byte("x")) },
		func() error { return tx.DeleteIntegration(account, "integ_1") },
	}
}

func importSteps(tx *Tx, account, id string, many []string) []func() error {
	i := aftercall.Import{AccountID: account, ID: id, Status: aftercall.ImportRunning, Separator: ';'}
	parts := make([]ImportPart, len(many))
	for n := range parts {
		parts[n] = ImportPart{Number: n, Content: []byte("a")}
	}
	return []func() error{
		func() error { return tx.PutImport(i) },
		func() error { return second(tx.Import(account, id)) },
		func() error { return second(tx.LockImport(account, id, i.Status)) },
		func() error { return second(tx.Imports(account, Page{Limit: 50, Descending: true})) },
		func() error { return second(tx.RunningImports()) },
		func() error { return tx.InsertImportParts(account, id, parts) },
		func() error { return second(tx.ImportPart(account, id, 1)) },
		func() error { return second(tx.DeleteImportPart(account, id, 1)) },
		func() error { return tx.InsertImportErrors(account, id, 0, make([]aftercall.ImportError, len(many))) },
		func() error { return second(tx.ImportErrors(account, id)) },
		func() error { return second(tx.CountImportErrors(account, id)) },
		func() error { return second(tx.DeleteOldImports(100)) },
		func() error { return tx.DeleteImport(account, id) },
		func() error { return second(tx.ContactsByExternalID(account, many)) },
		func() error { return second(tx.ContactsByPhone(account, many, 100)) },
	}
}

func callingSteps(tx *Tx, agent AgentRef) []func() error {
	return []func() error{
		func() error { return second(tx.CountWaiting(agent, time.Time{}, 1000)) },
		func() error { return second(tx.LiveCalls(agent.AccountID, 50)) },
		func() error { return second(tx.CountLive(agent.AccountID)) },
		func() error { return second(tx.BlockedNumber(agent.AccountID, "x")) },
		func() error { return second(tx.DialRecords(agent.AccountID, "x", DialRecordPage{Limit: 50})) },
	}
}

func contactSteps(tx *Tx, account, contact string) []func() error {
	c := aftercall.Contact{AccountID: account, ID: contact, PhoneNumber: "+14155552671", ExternalID: "x", Status: aftercall.ContactNew}
	call := aftercall.Call{AccountID: account, ID: contact, ContactID: contact, ExternalID: "x", TriggeredAt: time.Unix(1, 0), Status: aftercall.CallCompleted, Direction: aftercall.Outbound}
	many := slices.Repeat([]string{contact}, chunks[0])
	return []func() error{
		func() error { return second(tx.InsertContacts([]aftercall.Contact{c})) },
		func() error { return tx.UpdateContact(c) },
		func() error { return second(tx.Contact(account, ByID, contact)) },
		func() error { return second(tx.Contact(account, ByExternalID, "x")) },
		func() error { return second(tx.TakeContact(account, ByPhone, c.PhoneNumber)) },
		func() error { return second(tx.TakeContacts(account, many)) },
		func() error { return tx.InsertCall(call) },
		func() error { return second(tx.Call(account, contact)) },
		func() error { return second(tx.CallByExternalID(account, "x")) },
		func() error { return second(tx.Calls(account, CallPage{Limit: 50})) },
		func() error {
			return second(tx.Calls(account, CallPage{Limit: 50, Filter: CallFilter{ContactID: contact}}))
		},
		func() error {
			return second(tx.Calls(account, CallPage{Limit: 50, Filter: CallFilter{Status: aftercall.CallCompleted, Text: "a"}}))
		},
		func() error {
			return second(tx.Calls(account, CallPage{Limit: 50, Filter: CallFilter{AgentID: "a", Outcome: "a", Value: "b"}}))
		},
		func() error { return second(tx.ContactList(account, ContactFilter{Text: "a"}, Page{Limit: 50})) },
		func() error {
			return second(tx.ContactList(account, ContactFilter{Status: aftercall.ContactNew}, Page{Limit: 50, Descending: true}))
		},
		func() error {
			return second(tx.ContactList(account, ContactFilter{}, Page{Limit: 50, After: contact, Descending: true}))
		},
		func() error {
			return tx.InsertProperty(aftercall.Property{AccountID: account, Key: "a", Type: aftercall.PropertyString})
		},
		func() error { return second(tx.Properties(account)) },
		func() error { return second(tx.Property(account, "a")) },
		func() error { return second(tx.TakeProperty(account, "a")) },
		func() error { return tx.UpdateProperty(aftercall.Property{AccountID: account, Key: "a"}) },
		func() error {
			return tx.InsertPhoneNumber(aftercall.PhoneNumber{AccountID: account, ID: contact, Number: c.PhoneNumber})
		},
		func() error { return second(tx.PhoneNumbers(account)) },
		func() error { return second(tx.TrunkPassword(account, contact)) },
		func() error { return tx.DeletePhoneNumber(account, contact) },
		func() error { return tx.EraseContact(account, contact) },
		func() error { return tx.DeleteEndpoint(EndpointRef{account, "ep_1"}) },
		func() error { return tx.DeleteAccount(account) },
	}
}

func second[T any](_ T, err error) error { return err }
