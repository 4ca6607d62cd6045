package portal

import (
	"slices"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) blockRoutes() {
	p.show("/portal/{account}/contacts/blocked", auth.Full, p.blocked)
	p.do("/portal/{account}/contacts/blocked", auth.Full, p.blockNumber, p.blocked)
	p.do("/portal/{account}/contacts/blocked/{hash}/delete", auth.Full, p.unblockNumber, p.blocked)
}

// blockedView is the block list, and what is known of a number that was looked up.
type blockedView struct {
	*visit
	pager
	Rows    []aftercall.BlockedNumber
	Number  string // that was looked up; empty when none was
	Blocked aftercall.BlockedNumber
	Records []recordRow // newest first
}

// recordRow is an entry of the record why calls were allowed.
type recordRow struct {
	aftercall.DialRecord
	Agent    string
	Unplaced string // why it was never placed after all; empty when it was
}

const (
	// recordsShown is how many entries of a number's record are shown, the newest.
	recordsShown = 50
	// recordsRead bounds what is read of a record, which begins with the oldest. A number
	// is called a few times a day.
	recordsRead = 1000
)

func (p *Portal) blocked(v *visit) (view, error) {
	shown := blockedView{visit: v}
	number := strings.TrimSpace(v.URL.Query().Get("number"))
	if number != "" && v.Method == "GET" {
		records, err := p.Dialer.DialRecords(v.Context(), v.account.ID, number, store.DialRecordPage{Limit: recordsRead})
		if err != nil {
			return view{}, err
		}
		shown.Number, _ = aftercall.ParsePhone(number)
		shown.Records = recordRows(records)
	}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		part := v.part()
		part.Descending = false // hashes have no order that means anything
		list, err := tx.BlockedNumbers(v.account.ID, part)
		if err != nil {
			return err
		}
		shown.Rows, shown.pager = paged(v, list, func(b aftercall.BlockedNumber) string { return b.Hash })
		return shown.known(tx)
	})
	return view{Title: "Block list", Section: "Contacts", Body: blockedPage(shown)}, err
}

// known finds out about the number that was looked up.
func (v *blockedView) known(tx *store.Tx) (err error) {
	if v.Number == "" {
		return nil
	}
	v.Blocked, err = tx.BlockedNumber(v.account.ID, aftercall.NumberHash(v.account.ID, v.Number))
	if err != nil && aftercall.KindOf(err) != aftercall.NotFound {
		return err
	}
	list, err := tx.Agents(v.account.ID, store.Page{Limit: agentsShown})
	for i := range v.Records {
		v.Records[i].Agent = agentName(byID(list), v.Records[i].AgentID)
	}
	return err
}

// recordRows brings a record, oldest first, into the order of pages, with what was never
// placed told where it was allowed.
func recordRows(records []aftercall.DialRecord) []recordRow {
	unplaced := map[string]string{}
	for _, r := range records {
		if r.NotPlaced {
			unplaced[r.CallID] = r.Reason.Why
		}
	}
	var rows []recordRow
	for _, r := range slices.Backward(records) {
		if !r.NotPlaced && len(rows) < recordsShown {
			rows = append(rows, recordRow{DialRecord: r, Unplaced: unplaced[r.CallID]})
		}
	}
	return rows
}

func (p *Portal) blockNumber(v *visit) (done, error) {
	_, err := p.Dialer.BlockNumber(v.Context(), v.account.ID, v.typed("number"), v.typed("reason"))
	return done{To: v.at("contacts", "blocked"), Said: "Number blocked: it is not dialled any more, whatever was planned."}, err
}

func (p *Portal) unblockNumber(v *visit) (done, error) {
	err := p.Dialer.UnblockNumber(v.Context(), v.account.ID, v.PathValue("hash"))
	return done{To: v.at("contacts", "blocked"), Said: "Number taken off the block list. It may be dialled again."}, err
}
