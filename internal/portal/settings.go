package portal

import (
	"unicode/utf8"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/store"
)

func (p *Portal) settingRoutes() {
	p.show("/portal/{account}/settings", auth.Full, p.settings)
	p.do("/portal/{account}/settings/keys", auth.Full, p.createKey, p.settings)
	p.do("/portal/{account}/settings/keys/revoke", auth.Full, p.revokeKey, p.settings)
	p.do("/portal/{account}/settings/sessions/end", auth.Full, p.endSession, p.settings)
}

// settingsView is what an account's owner sets.
type settingsView struct {
	*visit
	Base      string
	Endpoints int
	Keys      []store.Key
	Sessions  []store.Session
	Made      string // a key, the only time that it is shown
}

// endpointsCounted is up to how many endpoints the settings count.
const endpointsCounted = 100

func (p *Portal) settings(v *visit) (view, error) { return p.settingsWith(v, "") }

func (p *Portal) settingsWith(v *visit, made string) (view, error) {
	shown := settingsView{visit: v, Base: p.BaseURL, Made: made}
	err := p.Store.View(v.Context(), func(tx *store.Tx) error {
		endpoints, err := tx.Endpoints(v.account.ID, store.Page{Limit: endpointsCounted})
		if err != nil {
			return err
		}
		shown.Endpoints = len(endpoints)
		if shown.Keys, err = tx.Keys(v.account.ID); err != nil {
			return err
		}
		shown.Sessions, err = tx.Sessions(v.account.ID)
		return err
	})
	return view{Title: "Settings", Section: "Settings", Body: settingsPage(shown)}, err
}

// maxKeyName is how long the name of a key may be, in characters.
const maxKeyName = 100

func (p *Portal) createKey(v *visit) (done, error) {
	name := v.typed("name")
	if n := utf8.RuneCountInString(name); n < 1 || n > maxKeyName {
		return done{}, aftercall.InvalidField("name", "must be 1 to %d characters: what will use the key", maxKeyName)
	}
	var made string
	err := p.Store.Update(v.Context(), func(tx *store.Tx) (err error) {
		made, err = auth.Create(tx, v.account.ID, name)
		return err
	})
	return done{Show: func(v *visit) (view, error) { return p.settingsWith(v, made) }}, err
}

func (p *Portal) revokeKey(v *visit) (done, error) {
	err := p.Keys.Revoke(v.Context(), v.account.ID, v.typed("key"))
	return done{To: v.at("settings"), Said: "Key revoked. Nothing can use it any more, and who signed in with it is signed out."}, err
}

func (p *Portal) endSession(v *visit) (done, error) {
	err := p.Keys.EndSession(v.Context(), v.account.ID, v.typed("session"))
	return done{To: v.at("settings"), Said: "Signed out there."}, err
}

// sdkSnippet uses an account's key by Svix's SDK, pointed here.
func sdkSnippet(base, account, key string) []snippet {
	return []snippet{
		{"JavaScript", `import { Svix } from "svix"; // npm install svix

const svix = new Svix("` + key + `", { serverUrl: "` + base + `" });
const endpoints = await svix.endpoint.list("` + account + `");`},
		{"Python", `from svix.api import Svix, SvixOptions  # pip install svix

svix = Svix("` + key + `", SvixOptions(server_url="` + base + `"))
endpoints = svix.endpoint.list("` + account + `")`},
		{"curl: report a call", `curl ` + base + `/v1/report-call -H "Authorization: Bearer ` + key + `" -H "Content-Type: application/json" -d '{
  "external_call_id": "call-1", "phone_number": "+14155552671", "direction": "outbound",
  "from_number": "+17755719467", "to_number": "+14155552671", "triggered_at": "2026-03-18T15:30:00Z",
  "started_at": "2026-03-18T15:30:08Z", "ended_at": "2026-03-18T15:32:00Z", "call_status": "COMPLETED",
  "transcriptObject": [{"role": "agent", "content": "Hello..."}]}'`},
	}
}
