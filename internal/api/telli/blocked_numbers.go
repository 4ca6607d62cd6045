package telli

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

// BlockedOut is a number that is never dialled.
type BlockedOut struct {
	Number    *string `json:"number" doc:"null once a contact with it was erased; it stays blocked by its hash"`
	Hash      string  `json:"hash"`
	Reason    string  `json:"reason"`
	CreatedAt *string `json:"created_at"`
}

func blockedOut(b aftercall.BlockedNumber) BlockedOut {
	return BlockedOut{orNull(b.Number), b.Hash, b.Reason, aftercall.ISOMillis(b.CreatedAt)}
}

// BlockedNumbersOut is a page of the block list.
type BlockedNumbersOut struct {
	BlockedNumbers []BlockedOut `json:"blocked_numbers"`
	NextCursor     *string      `json:"next_cursor"`
}

// listBlockedNumbers lists by hash: a number that was erased has nothing else.
func (a *API) listBlockedNumbers(ctx context.Context, c auth.Caller, in *struct{ Paging }) (BlockedNumbersOut, error) {
	limit, err := in.limit()
	if err != nil {
		return BlockedNumbersOut{}, err
	}
	if _, err := hex.DecodeString(in.Cursor); err != nil {
		return BlockedNumbersOut{}, wrongCursor()
	}
	page := store.Page{Limit: limit + 1, After: in.Cursor}
	list, err := a.dialer.BlockedNumbers(ctx, c.AccountID, page)
	paged := pagedOf(list, page, func(b aftercall.BlockedNumber) string { return b.Hash }, blockedOut)
	return BlockedNumbersOut{paged.Data, paged.PageInfo.NextCursor}, err
}

func (a *API) blockNumber(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		Number string `json:"number" required:"true"`
		Reason string `json:"reason" doc:"in your words; a number that is blocked already keeps its reason"`
	}
}) (BlockedOut, error) {
	b, err := a.dialer.BlockNumber(ctx, c.AccountID, in.Body.Number, in.Body.Reason)
	return blockedOut(b), err
}

// blockedItem is an item of blocked-numbers-batch.
type blockedItem struct {
	Number string `json:"number"` // as it was sent
	Status string `json:"status"`
	Hash   string `json:"hash,omitempty"`
	Error  string `json:"error,omitempty"`
	Code   string `json:"code,omitempty"`
}

func (a *API) blockNumbers(ctx context.Context, c auth.Caller, in *struct {
	Body struct {
		Numbers []string `json:"numbers" required:"true" doc:"1 to 1000"`
		Reason  string   `json:"reason" doc:"in your words; a number that is blocked already keeps its reason"`
	}
}) ([]blockedItem, error) {
	if err := batchSize("numbers", len(in.Body.Numbers)); err != nil {
		return nil, err
	}
	list, failed, err := a.dialer.BlockNumbers(ctx, c.AccountID, in.Body.Numbers, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := make([]blockedItem, len(list))
	for i, b := range list {
		out[i] = blockedItem{Number: in.Body.Numbers[i], Status: statusSuccess, Hash: b.Hash}
		if failed[i] != nil {
			out[i] = blockedItem{Number: in.Body.Numbers[i], Status: statusError}
			out[i].Error, out[i].Code = described(failed[i])
		}
	}
	return out, nil
}

func (a *API) unblockNumber(ctx context.Context, c auth.Caller, in *struct {
	Number string `path:"number" doc:"the number, or its hash"`
}) (messageOut, error) {
	return messageOut{"the number is not blocked any more"}, a.dialer.UnblockNumber(ctx, c.AccountID, in.Number)
}

// DialRecordOut says why a call was allowed, or that one which was allowed was never
// placed.
type DialRecordOut struct {
	At          *string  `json:"at"`
	Decision    string   `json:"decision" enum:"allowed,not_placed" doc:"a call that is not_placed was allowed before: that has a record of the same call_id"`
	CallID      string   `json:"call_id"`
	AgentID     string   `json:"agent_id"`
	RunID       *string  `json:"loop_id"`
	Attempt     int      `json:"attempt"`
	By          *string  `json:"by" enum:"schedule,request,wish" doc:"what the call was made by; wish is the contact's own"`
	Timezones   []string `json:"timezones" doc:"in all of which the agent's hours were open, unless it was a request or a wish"`
	Attempts    int      `json:"attempts_in_24_hours" doc:"to the number, before this one"`
	MaxAttempts int      `json:"max_attempts_in_24_hours"`
	Why         *string  `json:"why" doc:"it was not placed"`
}

func dialRecordOut(r aftercall.DialRecord) DialRecordOut {
	decision := "allowed"
	if r.NotPlaced {
		decision = "not_placed"
	}
	return DialRecordOut{
		At: aftercall.ISOMillis(r.At), Decision: decision, CallID: r.CallID, AgentID: r.AgentID, RunID: orNull(r.Reason.Run),
		Attempt: r.Reason.Attempt, By: orNull(r.Reason.By), Timezones: listOut(r.Reason.Zones), Attempts: r.Reason.Attempts,
		MaxAttempts: r.Reason.Limit, Why: orNull(r.Reason.Why),
	}
}

// DialRecordsOut is a page of the record of a number, oldest first.
type DialRecordsOut struct {
	DialRecords []DialRecordOut `json:"dial_records"`
	NextCursor  *string         `json:"next_cursor"`
}

func (a *API) listDialRecords(ctx context.Context, c auth.Caller, in *struct {
	Paging
	Number string `query:"number" doc:"international, such as +14155552671"`
}) (DialRecordsOut, error) {
	limit, err := in.limit()
	if err != nil {
		return DialRecordsOut{}, err
	}
	page := store.DialRecordPage{Limit: limit + 1}
	if in.Cursor != "" {
		var ok bool
		if page, ok = afterDialRecord(in.Cursor, page.Limit); !ok {
			return DialRecordsOut{}, wrongCursor()
		}
	}
	number := in.Number
	if strings.HasPrefix(number, " ") { // a plus that was not escaped
		number = "+" + number[1:]
	}
	list, err := a.dialer.DialRecords(ctx, c.AccountID, number, page)
	paged := pagedOf(list, store.Page{Limit: page.Limit}, cursorOf, dialRecordOut)
	return DialRecordsOut{paged.Data, paged.PageInfo.NextCursor}, err
}

// cursorOf is where a list of records goes on after one.
func cursorOf(r aftercall.DialRecord) string {
	text := strconv.FormatInt(r.At.UnixMicro(), 10) + " " + r.CallID + " " + strconv.FormatBool(r.NotPlaced)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func afterDialRecord(cursor string, limit int) (store.DialRecordPage, bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.Split(string(text), " ")
	if err != nil || len(parts) != 3 || !aftercall.ValidUUID(parts[1]) {
		return store.DialRecordPage{}, false
	}
	micros, err := strconv.ParseInt(parts[0], 10, 64)
	notPlaced, wrong := strconv.ParseBool(parts[2])
	return store.DialRecordPage{Limit: limit, At: time.UnixMicro(micros).UTC(), CallID: parts[1], NotPlaced: notPlaced}, err == nil && wrong == nil
}
