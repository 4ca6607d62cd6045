package portal

import (
	"cmp"
	"context"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// audit remembers what was done, after it was. It is for people to read, and names ids
// only; to lose an entry in a crash is better than to keep a person from acting.
func (p *Portal) audit(v *visit, pattern string) {
	entry := store.Audit{AccountID: v.account.ID, Actor: actorOf(v), Action: actionOf(pattern)}
	for _, name := range []string{"message", "contact", "endpoint", "import", "agent", "hash"} {
		entry.Target = cmp.Or(entry.Target, v.PathValue(name))
	}
	for name, prefix := range map[string]string{
		"key": aftercall.KeyPrefix, "session": aftercall.SessionPrefix, "task": aftercall.TaskPrefix, "endpoint": aftercall.EndpointPrefix,
	} {
		if id := v.PostFormValue(name); aftercall.ValidID(prefix, id) { // and no key that was pasted: those open things
			entry.Target = cmp.Or(entry.Target, id)
		}
	}
	err := p.Store.Update(context.WithoutCancel(v.Context()), func(tx *store.Tx) error { return tx.InsertAudit(entry) })
	if err != nil {
		p.Log.Warn("what was done is missing from the audit log", "action", entry.Action, "account", entry.AccountID, "cause", err)
	}
}

func actorOf(v *visit) string {
	switch {
	case v.caller.Operator:
		return "operator"
	case v.caller.Portal != nil:
		return "a link to the webhook portal"
	}
	return cmp.Or(v.caller.SessionID, "a key")
}

// actionOf names an action by its address: "endpoints disable".
func actionOf(pattern string) string {
	var words []string
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, "/portal"), "/") {
		if part != "" && !strings.HasPrefix(part, "{") && part != "webhooks" {
			words = append(words, part)
		}
	}
	return strings.Join(words, " ")
}
