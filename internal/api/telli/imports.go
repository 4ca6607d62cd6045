package telli

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
)

// importIn is a file of contacts with how it is to be read.
type importIn struct {
	DryRun         bool   `query:"dry_run" doc:"Only tell what would happen, and change nothing. Without it, the file is imported at once."`
	Mapping        string `query:"mapping" doc:"A JSON object: what columns become, by their names: a field of a contact, contact_details.KEY, or empty for nothing. Columns that it does not name are guessed by their names, and become nothing where that says nothing."`
	DefaultCountry string `query:"default_country" doc:"The country of phone numbers that are written without it, such as DE. Without it such numbers are errors."`
	Schedule       string `query:"schedule" doc:"A JSON object {\"agent_id\": …}: the agent that is to call all contacts of the file."`
	File           []byte
}

// importOut is how far an import has come.
type importOut struct {
	ImportID  *string           `json:"import_id" doc:"null for a dry run, which is stored nowhere."`
	DryRun    bool              `json:"dry_run"`
	Status    string            `json:"status" enum:"checked,draft,running,finished,failed"`
	Reason    string            `json:"reason,omitempty"`
	Total     int               `json:"total" doc:"Rows of the file."`
	Processed int               `json:"processed" doc:"Rows that were looked at."`
	Counts    importCounts      `json:"counts"`
	Columns   []importColumnOut `json:"columns,omitempty" doc:"What each column becomes, while the file is there."`
	Errors    []importErrorOut  `json:"errors" doc:"What is wrong with rows; the first 1000."`
	CreatedAt *string           `json:"created_at"`
	UpdatedAt *string           `json:"updated_at"`
}

type importCounts struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Skip   int `json:"skip" doc:"What they say is stored already."`
	Failed int `json:"failed"`
}

type importColumnOut struct {
	Column string `json:"column"`
	Field  string `json:"field"`
}

type importErrorOut struct {
	Line    int    `json:"line" doc:"Of the file, where the row begins; its first line is 1."`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func importOf(r dialer.ImportReport) importOut {
	out := importOut{
		Status: string(r.Status), Reason: r.Reason, Total: r.Total, Processed: r.Done(), Counts: importCounts(r.ImportCounts), Errors: []importErrorOut{},
		CreatedAt: aftercall.ISOMillis(r.CreatedAt), UpdatedAt: aftercall.ISOMillis(r.UpdatedAt),
	}
	if r.ID != "" {
		out.ImportID = &r.ID
	} else {
		out.DryRun, out.Status = true, "checked"
	}
	for n, column := range r.Columns {
		if n < len(r.Mapping) {
			out.Columns = append(out.Columns, importColumnOut{strings.TrimSpace(column), r.Mapping[n]})
		}
	}
	for _, e := range r.Errors {
		out.Errors = append(out.Errors, importErrorOut(e))
	}
	return out
}

// importContacts takes a file. It is imported at once, by a run in the background; with
// dry_run it is only told what that would do.
func (a *API) importContacts(ctx context.Context, c auth.Caller, in *importIn) (importOut, error) {
	f := dialer.ContactFile{Content: in.File, DefaultCountry: in.DefaultCountry}
	if in.Mapping != "" && json.Unmarshal([]byte(in.Mapping), &f.Columns) != nil {
		return importOut{}, aftercall.InvalidField("mapping", `must be a JSON object of texts, such as {"Phone": "phone_number"}`)
	}
	if in.Schedule != "" {
		var schedule struct {
			AgentID string `json:"agent_id"`
		}
		if json.Unmarshal([]byte(in.Schedule), &schedule) != nil || schedule.AgentID == "" {
			return importOut{}, aftercall.InvalidField("schedule", `must be a JSON object such as {"agent_id": "…"}`)
		}
		f.AgentID = schedule.AgentID
	}
	do := a.dialer.AddImport
	if in.DryRun {
		do = a.dialer.CheckImport
	}
	r, err := do(ctx, c.AccountID, f)
	if err != nil {
		return importOut{}, err
	}
	return importOf(r), nil
}

func (a *API) getImport(ctx context.Context, c auth.Caller, in *struct {
	ImportID string `path:"import_id"`
}) (importOut, error) {
	r, err := a.dialer.Import(ctx, c.AccountID, in.ImportID)
	if err != nil {
		return importOut{}, err
	}
	return importOf(r), nil
}

func (a *API) exportContacts(ctx context.Context, c auth.Caller, in *struct {
	Mark bool `query:"bom" doc:"Begin with the mark that spreadsheets tell UTF-8 by."`
}, w io.Writer) error {
	return a.dialer.ExportContacts(ctx, c.AccountID, w, in.Mark)
}
