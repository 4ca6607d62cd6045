package telli

import (
	"context"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
)

// LoopOut is a run, which the reference's API calls a loop.
type LoopOut struct {
	RunID      string            `json:"loop_id"`
	ContactID  string            `json:"contact_id"`
	AgentID    string            `json:"agent_id"`
	Status     string            `json:"status" enum:"open,ended"`
	EndReason  *aftercall.RunEnd `json:"end_reason" enum:"reached,exhausted,removed,blocked,do_not_call,invalid_number,contact_erased,agent_removed"`
	Attempts   int               `json:"attempts" doc:"calls that were placed"`
	NextCallAt *string           `json:"next_call_at" doc:"null while in a call, and at the end"`
	CreatedAt  *string           `json:"created_at"`
	EndedAt    *string           `json:"ended_at"`
}

func loopOut(r aftercall.Run) LoopOut {
	status := "ended"
	if r.Open() {
		status = "open"
	}
	return LoopOut{
		RunID: r.ID, ContactID: r.ContactID, AgentID: r.AgentID, Status: status, EndReason: orNull(r.End), Attempts: r.Attempts,
		NextCallAt: aftercall.ISOMillis(r.DueAt), CreatedAt: aftercall.ISOMillis(r.CreatedAt), EndedAt: aftercall.ISOMillis(r.EndedAt),
	}
}

func (a *API) getLoop(ctx context.Context, c auth.Caller, in *struct {
	RunID string `path:"loop_id"`
}) (LoopOut, error) {
	run, err := a.dialer.RunByID(ctx, c.AccountID, in.RunID)
	return loopOut(run), err
}

// LoopsOut is a page of runs, newest first.
type LoopsOut struct {
	Loops      []LoopOut `json:"loops"`
	NextCursor *string   `json:"next_cursor"`
}

func (a *API) listLoops(ctx context.Context, c auth.Caller, in *struct {
	Paging
	ContactID string `query:"contact_id"`
}) (LoopsOut, error) {
	page, err := in.page()
	if err != nil {
		return LoopsOut{}, err
	}
	runs, err := a.dialer.Runs(ctx, c.AccountID, in.ContactID, page)
	paged := pagedOf(runs, page, func(r aftercall.Run) string { return r.ID }, loopOut)
	return LoopsOut{paged.Data, paged.PageInfo.NextCursor}, err
}
