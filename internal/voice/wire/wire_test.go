package wire_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/voice/wire"
)

func TestEvents(t *testing.T) {
	agent := aftercall.NewAgent("app_1", time.Now())
	for body, wrong := range map[string]string{
		`{"id": "e", "type": "ringing", "call_id": "c"}`:                                                    "",
		`{"id": "e", "type": "ended", "call_id": "c", "reason": "busy", "sip_code": 486, "more": {}}`:       "",
		`{"type": "ringing", "call_id": "c"}`:                                                               "id",
		`{"id": "a\u0000b", "type": "ringing", "call_id": "c"}`:                                             "id",
		`{"id": "` + strings.Repeat("e", 257) + `", "type": "ringing", "call_id": "c"}`:                     "id",
		`{"id": "e", "type": "ringing"}`:                                                                    "call_id",
		`{"id": "e", "type": "queued", "call_id": "c"}`:                                                     "type",
		`{"id": "e", "type": "ended", "call_id": "c", "from": 4915112345678}`:                               "from",
		`{"id": "e", "type": "ended", "call_id": "c", "turns": [{"role": "agent", "text": 4915112345678}]}`: "turns.text",
		`{"id": "e", "type": "ended", "call_id": "c", "at": "4915112345678"}`:                               "a time",
		`{"id": "e", "type": "ended", "call_id": "c", "at": 1740000000}`:                                    "JSON",
		`null`: "id",
		`[]`:   "JSON",
		``:     "JSON",
	} {
		r := httptest.NewRequest("POST", "/", nil)
		wire.Sign(r, agent.Engine.Secret, "e", []byte(body), time.Now())
		_, err := wire.Events(agent, r.Header, []byte(body))
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%s: %v", body, err)
		case wrong != "" && (aftercall.KindOf(err) != aftercall.Invalid || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "49151")):
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Whoever does not know the secret is told nothing of what is wrong with the body.
func TestUnsignedEvents(t *testing.T) {
	agent := aftercall.NewAgent("app_1", time.Now())
	body := []byte(`{`)
	for name, by := range map[string]struct {
		secret aftercall.Secret
		at     time.Time
	}{
		"another secret": {aftercall.NewSecret(aftercall.HMAC, time.Now()), time.Now()},
		"long ago":       {agent.Engine.Secret, time.Now().Add(-time.Hour)},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		wire.Sign(r, by.secret, "e", body, by.at)
		if _, err := wire.Events(agent, r.Header, body); aftercall.KindOf(err) != aftercall.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := wire.Events(agent, nil, body); aftercall.KindOf(err) != aftercall.Unauthenticated {
		t.Errorf("unsigned: %v", err)
	}
}
