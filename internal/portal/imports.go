package portal

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/dialer"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/web"
)

func (p *Portal) importRoutes() {
	p.show("/portal/{account}/imports", auth.Full, p.imports)
	p.do("/portal/{account}/imports", auth.Full, p.uploadContacts, p.imports)
	p.show("/portal/{account}/imports/{import}", auth.Full, p.importing)
	p.do("/portal/{account}/imports/{import}/check", auth.Full, p.checkImport, p.importing)
	p.do("/portal/{account}/imports/{import}/run", auth.Full, p.runImport, p.importing)
	p.do("/portal/{account}/imports/{import}/cancel", auth.Full, p.cancelImport, p.importing)
	p.mux.HandleFunc("GET /portal/{account}/contacts/export", p.exportContacts)
}

// importsView is where a file is uploaded, and what became of those before.
type importsView struct {
	*visit
	Country string
	Rows    []aftercall.Import
}

// importsShown is how many imports are listed.
const importsShown = 20

func (p *Portal) imports(v *visit) (view, error) {
	shown := importsView{visit: v}
	if v.problem != nil {
		shown.Country = v.typed("default_country")
	}
	err := p.Store.View(v.Context(), func(tx *store.Tx) (err error) {
		shown.Rows, err = tx.Imports(v.account.ID, store.Page{Limit: importsShown, Descending: true})
		return err
	})
	return view{Title: "Import contacts", Section: "Contacts", Body: importsPage(shown)}, err
}

func (p *Portal) uploadContacts(v *visit) (done, error) {
	file, _, err := v.FormFile("file")
	if err != nil {
		return done{}, aftercall.InvalidField("file", "choose a file")
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return done{}, err
	}
	i, err := p.Dialer.DraftImport(v.Context(), v.account.ID, dialer.ContactFile{Content: content, DefaultCountry: v.typed("default_country")})
	return done{To: v.at("imports", i.ID)}, err
}

// importView is a file on its way, or what became of it.
type importView struct {
	*visit
	dialer.ImportReport
	Preview []importColumn
	Agents  []aftercall.Agent // who may call the contacts
}

// importColumn is a column of a file: what it becomes, and what stands in its first rows.
type importColumn struct {
	Number int
	Name   string
	Field  string // a field of a contact, detailChoice, or empty for nothing
	Detail string // the name of a detail
	Cells  []string
}

const (
	// previewRows is how many rows of a file are shown.
	previewRows = 3
	// detailChoice stands for a detail where a field is chosen.
	detailChoice = "detail"
)

func (p *Portal) importing(v *visit) (view, error) {
	shown := importView{visit: v}
	var err error
	if shown.ImportReport, err = p.Dialer.Import(v.Context(), v.account.ID, v.PathValue("import")); err != nil {
		return view{}, err
	}
	if shown.Status == aftercall.ImportDraft {
		rows, err := p.Dialer.PreviewImport(v.Context(), shown.Import, previewRows)
		if err != nil {
			return view{}, err
		}
		shown.Preview = previewOf(shown.ImportReport, rows)
		if shown.Agents, err = p.Dialer.Agents(v.Context(), v.account.ID, store.Page{Limit: agentsShown}); err != nil {
			return view{}, err
		}
	}
	return view{Title: "Import contacts", Section: "Contacts", Body: importPage(shown)}, nil
}

func previewOf(r dialer.ImportReport, rows [][]string) []importColumn {
	columns := make([]importColumn, len(r.Columns))
	for n, name := range r.Columns {
		c := importColumn{Number: n, Name: shownCell(name), Cells: make([]string, previewRows)}
		if n < len(r.Mapping) {
			c.Field = r.Mapping[n]
		}
		if key, ok := strings.CutPrefix(c.Field, aftercall.DetailPrefix); ok {
			c.Field, c.Detail = detailChoice, key
		}
		if c.Name == "" {
			c.Name = "Column " + strconv.Itoa(n+1)
		}
		for k, row := range rows {
			if n < len(row) {
				c.Cells[k] = shownCell(row[n])
			}
		}
		columns[n] = c
	}
	return columns
}

// cellShown is how much of a cell is shown, in characters.
const cellShown = 40

// shownCell cuts what stands in a cell to what a preview has room for.
func shownCell(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text))
	if runes := []rune(text); len(runes) > cellShown {
		return string(runes[:cellShown]) + "…"
	}
	return text
}

// readOptions is what the form says of how a file is read.
func (v *visit) readOptions(i aftercall.Import) aftercall.ImportOptions {
	o := aftercall.ImportOptions{Mapping: make(aftercall.Mapping, len(i.Mapping)), DefaultCountry: strings.ToUpper(v.typed("default_country")), AgentID: v.typed("agent")}
	for n := range o.Mapping {
		o.Mapping[n] = v.typed("field." + strconv.Itoa(n))
		if o.Mapping[n] == detailChoice {
			o.Mapping[n] = aftercall.DetailPrefix + v.typed("detail."+strconv.Itoa(n))
		}
	}
	return o
}

func (p *Portal) checkImport(v *visit) (done, error) {
	r, err := p.Dialer.Import(v.Context(), v.account.ID, v.PathValue("import"))
	if err != nil {
		return done{}, err
	}
	i, err := p.Dialer.ReviseImport(v.Context(), v.account.ID, r.ID, v.readOptions(r.Import))
	next := done{To: v.at("imports", r.ID), Said: "Checked. This is what importing would do."}
	if i.Reason != "" {
		next.Said = ""
	}
	return next, err
}

// runImport starts an import as it was checked: where the form says something else by
// now, that is checked first.
func (p *Portal) runImport(v *visit) (done, error) {
	r, err := p.Dialer.Import(v.Context(), v.account.ID, v.PathValue("import"))
	if err != nil {
		return done{}, err
	}
	o := v.readOptions(r.Import)
	if r.Status == aftercall.ImportDraft && (!slices.Equal(o.Mapping, r.Mapping) || o.DefaultCountry != r.DefaultCountry || o.AgentID != r.AgentID) {
		next, err := p.checkImport(v)
		if next.Said != "" {
			next.Said = "You had changed something, so nothing was imported yet: this is what importing would do now."
		}
		return next, err
	}
	_, err = p.Dialer.StartImport(v.Context(), v.account.ID, r.ID)
	return done{To: v.at("imports", r.ID), Said: "Started. You may leave this page; it goes on by itself."}, err
}

func (p *Portal) cancelImport(v *visit) (done, error) {
	r, err := p.Dialer.Import(v.Context(), v.account.ID, v.PathValue("import"))
	if err == nil {
		err = p.Dialer.CancelImport(v.Context(), v.account.ID, r.ID)
	}
	if r.Status == aftercall.ImportDraft {
		return done{To: v.at("imports"), Said: "The file was discarded. Nothing was imported."}, err
	}
	return done{To: v.at("imports", r.ID), Said: "Canceled. What was imported already stays."}, err
}

// exportContacts sends all contacts as a file that spreadsheets open.
func (p *Portal) exportContacts(w http.ResponseWriter, r *http.Request) {
	v, err := p.visit(r, auth.Full)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.audit(v, "/contacts/export")
	file := web.NewDownload(w, "text/csv; charset=utf-8", "contacts.csv")
	if err := p.Dialer.ExportContacts(r.Context(), v.account.ID, file, true); err != nil {
		file.Fail(func() { p.refuse(w, r, err) })
	}
}

// readUpload reads a form with a file.
func (v *visit) readUpload() error {
	err := v.ParseMultipartForm(maxUpload)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return aftercall.Errorf(aftercall.TooLarge, "the file exceeds %d MB", aftercall.MaxImportBytes>>20)
	}
	if err != nil {
		return &aftercall.Error{Kind: aftercall.Invalid, Message: "the form could not be read", Err: err}
	}
	return readable(v.Form)
}

func importBadge(i aftercall.Import) badge {
	switch i.Status {
	case aftercall.ImportDraft:
		return badge{"Not started", ""}
	case aftercall.ImportRunning:
		return badge{"Running", "warn"}
	case aftercall.ImportFinished:
		return badge{"Done", "good"}
	case aftercall.ImportFailed:
		return badge{"Ended", "bad"}
	}
	return badge{string(i.Status), ""}
}

// fieldName is what people call a field of a contact.
func fieldName(field string) string {
	switch field {
	case "external_contact_id":
		return "External id"
	case "external_url":
		return "External URL"
	case "timezone":
		return "Time zone"
	}
	return strings.ReplaceAll(strings.ToUpper(field[:1])+field[1:], "_", " ")
}
