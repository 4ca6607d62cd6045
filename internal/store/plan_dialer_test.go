package store

import (
	"slices"
	"time"

	"github.com/aftercall/aftercall"
)

// dialerSteps ask everything of what the dialer's engine keeps.
func dialerSteps(tx *Tx, account, contact string) []func() error {
	many := slices.Repeat([]string{contact}, chunks[0])
	agent := aftercall.NewAgent(account, tx.now)
	ref := AgentRef{account, agent.ID}
	run := aftercall.Run{AccountID: account, ContactID: contact, AgentID: agent.ID, DueAt: tx.now, CreatedAt: tx.now}
	live := aftercall.LiveCall{AccountID: account, ContactID: contact, AgentID: agent.ID, Direction: aftercall.Outbound, TriggeredAt: tx.now, DueAt: tx.now}
	runs := make([]aftercall.Run, len(many))
	calls := make([]aftercall.LiveCall, len(many))
	events := make([]VoiceEvent, len(many))
	next := map[string]time.Time{}
	for i := range many {
		runs[i], calls[i] = run, live
		runs[i].ID, calls[i].ID = aftercall.NewUUID(), aftercall.NewUUID()
		runs[i].ContactID = runs[i].ID
		events[i] = VoiceEvent{Agent: ref, ID: calls[i].ID, CallID: calls[i].ID}
		next[runs[i].ID] = tx.now
	}
	page := Page{Limit: 50, After: contact, Descending: true}
	line := &aftercall.Line{AccountID: account, ID: "simulator", Free: map[string]time.Time{}}
	return []func() error{
		func() error { return tx.InsertAgent(agent) },
		func() error { return tx.UpdateAgent(agent) },
		func() error { return second(tx.AgentWithSecret(account, agent.ID)) },
		func() error { return second(tx.Agent(account, DefaultAgent)) },
		func() error { return second(tx.TakeAgent(account, agent.ID)) },
		func() error { return second(tx.TakeAgent(account, DefaultAgent)) },
		func() error { return second(tx.Agents(account, Page{Limit: 50, After: agent.ID, Descending: true})) },
		func() error { return tx.ReplaceAgentSecret(ref, agent.Engine.Secret) },

		func() error { return tx.PutRuns(runs) },
		func() error { return second(tx.Run(account, contact)) },
		func() error { return second(tx.RunsByID(account, many)) },
		func() error { return second(tx.OpenRuns(account, many)) },
		func() error { return second(tx.ContactRuns(account, contact, 50)) },
		func() error { return second(tx.Runs(account, contact, page)) },
		func() error { return second(tx.Runs(account, "", page)) },
		func() error { return second(tx.Runs(account, "", Page{Limit: 50})) },
		func() error { return second(tx.DueRuns(ref, 128)) },
		func() error { return second(tx.OpenRunsOf(ref, 128)) },
		func() error { return second(tx.OpenRunsTo(account, many, 128)) },
		func() error { return second(tx.NextRun(ref)) },
		func() error { return second(tx.DueAgents()) },
		func() error { return tx.ScheduleContacts(account, next) },

		func() error { return tx.PutLiveCalls(calls) },
		func() error { return second(tx.LiveCall(account, contact)) },
		func() error { return second(tx.TakeLiveCalls(account, many)) },
		func() error { return second(tx.LiveCallsOf(account, contact)) },
		func() error { return second(tx.TakeLiveCallsOf(account, contact)) },
		func() error { return second(tx.LiveCounts(account, line.ID)) },
		func() error { return second(tx.LiveContacts(account, many)) },
		func() error { return second(tx.ClaimLooks(true, 32, tx.now)) },
		func() error { return second(tx.NextLook(false)) },
		func() error { return tx.LookNow(aftercall.Placing) },
		func() error { return tx.SetInCall(account, many) },
		func() error { return tx.DeleteLiveCalls(account, calls) },
		func() error { return second(tx.TakeLine(account, line.ID)) },
		func() error { return tx.UpdateLine(line) },
		func() error { return second(tx.Lines(account)) },

		func() error { return tx.InsertVoiceEvents(events) },
		func() error { return second(tx.TakeVoiceEvents(256)) },
		func() error { return second(tx.ForgetVoiceEvents(100)) },

		func() error { return second(tx.AccountsWithoutAgent()) },
		func() error { return tx.DeleteAgent(ref) },
	}
}

// schedulerSteps ask everything of call schedulers.
func schedulerSteps(tx *Tx, account, id string) []func() error {
	s := aftercall.CallScheduler{AccountID: account, ID: id, AgentID: id, Enabled: true}
	return []func() error{
		func() error { return tx.InsertScheduler(s) },
		func() error { return tx.UpdateScheduler(s) },
		func() error { return second(tx.Scheduler(account, id)) },
		func() error { return second(tx.TakeScheduler(account, id)) },
		func() error { return second(tx.Schedulers(account, Page{Limit: 50, After: id, Descending: true})) },
		func() error { return second(tx.EnabledSchedulers(account)) },
		func() error { return second(tx.TakeSchedulersOf(AgentRef{account, id})) },
		func() error { return second(tx.Enrolling()) },
		func() error { return tx.DeleteScheduler(account, id) },
		func() error {
			return second(tx.ContactList(account, ContactFilter{Status: aftercall.ContactNew}, Page{Limit: 128, After: id}))
		},
	}
}

// numberSteps ask everything of what is kept of numbers.
func numberSteps(tx *Tx, account string) []func() error {
	many := make([]string, chunks[0])
	records := make([]aftercall.DialRecord, len(many))
	blocked := make([]aftercall.BlockedNumber, len(many))
	for i := range many {
		many[i] = aftercall.NewUUID()
		records[i] = aftercall.DialRecord{AccountID: account, NumberHash: "h", At: tx.now, CallID: many[i]}
		blocked[i] = aftercall.BlockedNumber{AccountID: account, Hash: many[i]}
	}
	return []func() error{
		func() error { return tx.InsertDialRecords(records) },
		func() error { return second(tx.Dialled(account, many, tx.now)) },
		func() error { return second(tx.DialRecords(account, "h", DialRecordPage{Limit: 100})) },
		func() error { return second(tx.DialRecords(account, "h", DialRecordPage{Limit: 100, At: tx.now})) },
		func() error { return tx.BlockNumbers(blocked) },
		func() error { return second(tx.Blocked(account, many)) },
		func() error { return second(tx.BlockedByHash(account, many)) },
		func() error { return second(tx.BlockedNumbers(account, Page{Limit: 50, After: "h"})) },
		func() error { return tx.EraseBlockedNumber(account, "h") },
		func() error { return tx.UnblockNumber(account, "h") },
	}
}
