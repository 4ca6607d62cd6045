package telli_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aftercall/aftercall/internal/dialer"
)

// upload sends a file as a form does.
func (c *caller) upload(status int, fields map[string]string, file string) object {
	c.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, text := range fields {
		if err := form.WriteField(name, text); err != nil {
			c.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "leads.csv")
	if err == nil {
		_, err = part.Write([]byte(file))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		c.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/import-contacts", &body)
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", form.FormDataContentType())
	w := httptest.NewRecorder()
	c.face.ServeHTTP(w, r)
	var answer object
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != status {
		c.Fatalf("uploaded: %d %s, %v", w.Code, w.Body, err)
	}
	return answer
}

const leads = "Kundennummer;Vorname;Nachname;Telefon;Firma\n7;Frida;Kahlo;0171 1234567;Casa Azul\n8;Diego;Rivera;12;\n"

func TestImportContacts(t *testing.T) {
	each(t, func(c, _ *caller) {
		query := "?default_country=DE&mapping=" + url.QueryEscape(`{"Firma": "contact_details.company"}`)
		dry := c.ask(200, "POST", "/v1/import-contacts"+query+"&dry_run=true", leads)
		if counts := dry["counts"].(object); counts["create"] != 1.0 || counts["failed"] != 1.0 || dry["import_id"] != nil || dry["dry_run"] != true || dry["status"] != "checked" {
			c.Errorf("a dry run: %v", dry)
		}
		if fault := dry["errors"].([]any)[0].(object); fault["line"] != 3.0 || fault["field"] != "phone_number" || strings.Contains(fault["message"].(string), "12") {
			c.Errorf("an error: %v", fault)
		}
		if column := dry["columns"].([]any)[4].(object); column["column"] != "Firma" || column["field"] != "contact_details.company" {
			c.Errorf("a column: %v", column)
		}
		c.ask(404, "GET", "/v1/get-contact-by-external-id/7", nil)

		begun := c.upload(200, map[string]string{"default_country": "de", "mapping": `{"Firma": "contact_details.company"}`}, leads)
		id, _ := begun["import_id"].(string)
		if begun["status"] != "running" || begun["total"] != 2.0 || begun["processed"] != 0.0 || id == "" {
			c.Errorf("begun: %v", begun)
		}
		if err := dialer.New(c.store, dialer.Config{}).FinishImport(c.Context(), c.account.ID, id); err != nil {
			c.Fatal(err)
		}
		done := c.ask(200, "GET", "/v1/imports/"+strings.ToUpper(id), nil)
		if counts := done["counts"].(object); done["status"] != "finished" || done["processed"] != 2.0 || counts["create"] != 1.0 || counts["failed"] != 1.0 || len(done["errors"].([]any)) != 1 || done["columns"] != nil {
			c.Errorf("done: %v", done)
		}
		contact := c.ask(200, "GET", "/v1/get-contact-by-external-id/7", nil)
		if contact["phone_number"] != "+491711234567" || contact["contact_details"].(object)["company"] != "Casa Azul" {
			c.Errorf("imported: %v", contact)
		}
		c.ask(404, "GET", "/v1/imports/"+c.account.ID, nil)

		w := c.send("GET", "/v1/export-contacts?bom=true", nil)
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(w.Header().Get("Content-Disposition"), "contacts.csv") ||
			!strings.HasPrefix(w.Body.String(), "\ufeffcontact_id,") || !strings.Contains(w.Body.String(), ",7,Frida,Kahlo,'+491711234567,") {
			c.Errorf("exported: %d %v %s", w.Code, w.Header(), w.Body)
		}
		again := c.ask(200, "POST", "/v1/import-contacts?dry_run=true", w.Body.String())
		if counts := again["counts"].(object); counts["skip"] != 1.0 || again["total"] != 1.0 {
			c.Errorf("what was exported, imported: %v", again)
		}
	})
}

func TestImportSaysWhatIsWrong(t *testing.T) {
	each(t, func(c, _ *caller) {
		for _, test := range []struct {
			query, body, field string
		}{
			{"", "", "file"}, {"", "phone;\"name\n1;2\n3;4", "file"}, {"", "PK\x03\x04", "file"}, {"", strings.Repeat("\x00\x9f", 1000), "file"},
			{"", "{\"a\": 1}", "file"}, {"", "a,b\n1,2\n", "mapping"}, {"?mapping=x", leads, "mapping"}, {"?mapping={\"Fax\":\"email\"}", leads, "mapping"},
			{"?mapping={\"Firma\":\"status\"}", leads, "mapping"}, {"?default_country=Germany", leads, "default_country"}, {"?dry_run=perhaps", leads, "query.dry_run"},
			{"?schedule=agent", leads, "schedule"}, {"?schedule={\"agent_id\":\"a\"}", leads, "schedule.agent_id"}, {"?dry_run=true&schedule={\"agent_id\":\"a\"}", leads, "schedule.agent_id"},
		} {
			got := c.ask(400, "POST", "/v1/import-contacts"+strings.ReplaceAll(test.query, "\"", "%22"), test.body)
			if fields, _ := got["fields"].(object); fields[test.field] == nil || got["code"] != "INVALID_REQUEST" {
				c.Errorf("%s %.20q: %v, want a word on %s", test.query, test.body, got, test.field)
			}
		}
		for _, size := range []int{11 << 20, 50 << 20} {
			if got := c.ask(413, "POST", "/v1/import-contacts", "phone\n"+strings.Repeat("1", size)); got["code"] != "PAYLOAD_TOO_LARGE" {
				c.Errorf("%d bytes: %v", size, got)
			}
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/import-contacts", strings.NewReader("--x\r\nbroken"))
		r.Header.Set("Authorization", "Bearer "+c.key)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		if c.face.ServeHTTP(w, r); w.Code != 400 || !strings.Contains(w.Body.String(), "multipart") {
			c.Errorf("a broken form: %d %s", w.Code, w.Body)
		}
	})
}
