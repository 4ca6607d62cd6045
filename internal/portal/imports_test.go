package portal_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
	"github.com/aftercall/aftercall/internal/store/storetest"
)

const someLeads = "Nr;Vorname;Nachname;Telefon;Firma\n7;Frida;Kahlo;0171 1234567;Casa Azul\n8;Diego;Rivera;0171 7654321;\n9;Nobody;Nowhere;12;\n"

// A file is uploaded, its columns are named, and what that would do is seen before it is
// done.
func TestImportSteps(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	b := open(t, i.url)
	path := filepath.Join(t.TempDir(), "leads.csv")
	if err := os.WriteFile(path, []byte(someLeads), 0o600); err != nil {
		t.Fatal(err)
	}
	choose := func(name, value string) chromedp.Action[chromedp.Void] {
		return chromedp.SetValue(chromedp.CSS(`select[name="`+name+`"]`), value)
	}
	b.do(chromedp.Navigate(i.login), press("Open the portal"), press("Contacts"), says("No contact yet"), press("Import"), says("at most 10 MB"),
		chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), []string{path}), press("Upload and check"),
		says("What importing 3 rows would do"), says("Line"), says("Is not an international phone number"), says("Casa Azul"))
	b.do(choose("field.0", "external_contact_id"), choose("field.4", "detail"), fill("detail.4", "company"), fill("default_country", "de"),
		press("Check again"), says("This is what importing would do"), says("Is neither an international phone number"), press("Import 2 rows"), says("Done"), says("Show contacts"))
	b.do(press("Show contacts"), says("Frida Kahlo"), press("Diego Rivera"), says("+491717654321"))
	var contact aftercall.Contact
	storetest.View(t, i.Store(), func(tx *store.Tx) (err error) {
		contact, err = tx.Contact(i.account, store.ByExternalID, "7")
		return err
	})
	if string(contact.Details) != `{"company":"Casa Azul"}` {
		t.Errorf("imported %+v", contact)
	}
}

// read asks for a page, or posts a form, and returns the status, the address in the end,
// and the page.
func (v *visitor) read(path, contentType string, body []byte) (status int, location, page string) {
	v.t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, bytes.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(content)
}

func (v *visitor) form(path string, form url.Values) (status int, location, page string) {
	v.t.Helper()
	return v.read(path, "application/x-www-form-urlencoded", []byte(form.Encode()))
}

func (v *visitor) upload(path string, file []byte) (status int, location, page string) {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if file != nil {
		part, err := form.CreateFormFile("file", "leads.csv")
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := part.Write(file); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := form.WriteField("default_country", "DE"); err != nil {
		v.t.Fatal(err)
	}
	form.Close()
	return v.read(path, form.FormDataContentType(), body.Bytes())
}

// The same without a script, with what goes wrong.
func TestImportWithoutScript(t *testing.T) {
	i := serve(t, storetest.SQLite(t))
	v := signIn(t, i, i.key)
	imports := "/portal/" + i.account + "/imports"
	for name, test := range map[string]struct {
		file   []byte
		status int
		says   string
	}{
		"none":         {nil, 422, "Choose a file"},
		"empty":        {[]byte{}, 422, "Must name its columns"},
		"a lone quote": {[]byte("phone\n\"1\n2\n"), 422, "line 2"},
		"too large":    {make([]byte, 11<<20), 413, "10 MB"},
		"much larger":  {make([]byte, 50<<20), 413, "10 MB"},
	} {
		if status, _, page := v.upload(imports, test.file); status != test.status || !strings.Contains(page, test.says) {
			t.Errorf("%s: %d, %.2000s", name, status, page)
		}
	}
	status, draft, _ := v.upload(imports, []byte(someLeads))
	if status != http.StatusSeeOther || !strings.HasPrefix(draft, imports+"/") {
		t.Fatalf("uploaded: %d to %s", status, draft)
	}
	if _, _, page := v.read(draft, "", nil); !strings.Contains(page, "Import 2 rows") || !strings.Contains(page, "Casa Azul") {
		t.Errorf("a draft: %s", page)
	}
	if _, _, page := v.read(imports, "", nil); !strings.Contains(page, "Not started") {
		t.Errorf("files: %s", page)
	}
	mapping := url.Values{"field.0": {"external_contact_id"}, "field.1": {"first_name"}, "field.2": {"last_name"}, "field.3": {"phone_number"}, "default_country": {"DE"}}
	// Whoever has changed something sees what that does before it is done.
	if status, to, _ := v.form(draft+"/run", mapping); status != http.StatusSeeOther || to != draft {
		t.Errorf("changed and run: %d to %s", status, to)
	}
	if _, _, page := v.read(draft, "", nil); !strings.Contains(page, "nothing was imported yet") || !strings.Contains(page, "Not started") {
		t.Errorf("changed and run: %s", page)
	}
	mapping.Set("field.4", "phone_number") // which there is already
	if status, _, _ := v.form(draft+"/check", mapping); status != http.StatusSeeOther {
		t.Errorf("two of one: %d", status)
	}
	if _, _, page := v.read(draft, "", nil); !strings.Contains(page, "Two columns are to become phone_number") && !strings.Contains(page, "two columns are to become phone_number") || strings.Contains(page, "Import 2 rows") {
		t.Errorf("two of one: %s", page)
	}
	if status, _, _ := v.form(draft+"/run", mapping); status != http.StatusUnprocessableEntity {
		t.Errorf("two of one, run: %d", status)
	}
	mapping.Del("field.4")
	v.form(draft+"/check", mapping)
	if status, to, _ := v.form(draft+"/run", mapping); status != http.StatusSeeOther || to != draft {
		t.Errorf("run: %d to %s", status, to)
	}
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		_, _, page := v.read(draft, "", nil)
		if strings.Contains(page, "Show contacts") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not end: %s", page)
		}
	}
	if status, _, _ := v.form(draft+"/run", mapping); status != http.StatusConflict {
		t.Errorf("run again: %d", status)
	}
	_, other, _ := v.upload(imports, []byte(someLeads))
	if status, to, _ := v.form(other+"/cancel", url.Values{}); status != http.StatusSeeOther || to != imports {
		t.Errorf("discarded: %d to %s", status, to)
	}
	if status, _, _ := v.read(other, "", nil); status != http.StatusNotFound {
		t.Errorf("what was discarded: %d", status)
	}
	status, _, export := v.read("/portal/"+i.account+"/contacts/export", "", nil)
	if status != http.StatusOK || !strings.HasPrefix(export, "\ufeffcontact_id,") || !strings.Contains(export, ",7,Frida,Kahlo,'+491711234567,") {
		t.Errorf("exported: %d %s", status, export)
	}
}
