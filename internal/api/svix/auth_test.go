package svix_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A token of the portal opens its application's webhooks and nothing else, and only
// as far as it was given.
func TestPortalTokens(t *testing.T) {
	each(t, func(s *server) {
		app, other := s.app("own"), s.app("other")
		id := strings.TrimPrefix(app, "/app/")
		s.do(201, "POST", "/event-type", object{"name": "gated", "description": "x", "featureFlag": "beta"})
		endpoint := app + "/endpoint/" + s.do(201, "POST", app+"/endpoint", object{"url": "https://example.com", "disabled": true})["id"].(string)
		access := func(body any) string {
			s.Helper()
			s.key = operatorKey
			granted := s.do(200, "POST", "/auth/app-portal-access/"+id, body)
			if !strings.HasPrefix(granted["url"].(string), "https://aftercall.example/portal/webhooks#token=") {
				s.Errorf("link is %v", granted["url"])
			}
			return granted["token"].(string)
		}
		check := func(key string, routes map[string]int) {
			s.Helper()
			s.key = key
			for route, want := range routes {
				method, path, _ := strings.Cut(route, " ")
				if got, answer := s.send(method, path, object{"url": "https://example.com", "name": "x", "eventType": "svix.ping"}); got != want {
					s.Errorf("%s: %d %s, want %d", route, got, answer, want)
				}
			}
		}
		everything := access(nil)
		check(everything, map[string]int{
			"GET " + app: 200, "GET " + app + "/endpoint": 200, "POST " + app + "/endpoint": 201, "GET " + endpoint + "/secret": 200,
			"POST " + endpoint + "/secret/rotate": 204, "GET " + endpoint + "/headers": 200, "GET " + app + "/msg": 200, "GET /event-type/gated": 404,
			"POST " + endpoint + "/send-example": 400, // it is disabled
			"PATCH " + app:                       403, "POST " + app + "/msg": 403, "GET /app": 403, "POST /auth/app-portal-access/" + id: 403, "POST /event-type": 403,
			"GET " + other: 404, "GET " + other + "/endpoint": 404,
		})
		check(access(object{"capabilities": []string{"ViewBase"}, "featureFlags": []string{"beta"}}), map[string]int{
			"GET " + endpoint: 200, "GET /event-type/gated": 200, "GET " + endpoint + "/secret": 403, "PATCH " + endpoint: 403,
			"POST " + endpoint + "/secret/rotate": 403, "POST " + endpoint + "/send-example": 403, "GET " + endpoint + "/headers": 403,
		})
		s.key = access(object{"capabilities": []string{"ViewBase", "ManageEndpoint"}})
		s.do(200, "PATCH", endpoint, object{"description": "new"})
		for _, body := range []object{{"signature": "both"}, {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}} {
			body["url"] = "https://example.com"
			s.do(403, "PATCH", endpoint, body)
			s.do(403, "PUT", endpoint, body)
		}
		s.key = access(object{"featureFlags": []string{"beta"}})
		if n := len(s.do(200, "GET", "/event-type", nil).list("data")); n != 4 {
			s.Errorf("%d event types with the flag", n)
		}
		s.key = everything
		if n := len(s.do(200, "GET", "/event-type", nil).list("data")); n != 3 {
			s.Errorf("%d event types without the flag", n)
		}
		s.do(204, "POST", "/auth/logout", nil)
		s.do(401, "GET", app, nil)
		first, second := access(object{"sessionId": "1"}), access(object{"sessionId": "2", "expiry": 3600})
		s.do(204, "POST", "/auth/app/"+id+"/expire-all", object{"sessionIds": []string{"1"}})
		check(first, map[string]int{"GET " + app: 401})
		check(second, map[string]int{"GET " + app: 200})
		s.key = operatorKey
		s.do(204, "POST", "/auth/app/"+id+"/expire-all", nil)
		check(second, map[string]int{"GET " + app: 401})
		s.key = operatorKey
		for _, wrong := range []object{{"expiry": 1}, {"expiry": 604801}, {"expiry": -1}, {"capabilities": []string{"Everything"}}} {
			s.do(422, "POST", "/auth/app-portal-access/"+id, wrong)
		}
		s.do(200, "POST", "/auth/dashboard-access/"+id, nil)
		s.do(404, "POST", "/auth/app-portal-access/nobody", nil)
		s.do(200, "POST", "/auth/app-portal-access/new", object{"application": object{"name": "New", "uid": "new"}})
	})
}

// Tokens that a Svix server signed go on working.
func TestJWT(t *testing.T) {
	each(t, func(s *server) {
		app := s.app("own")
		other := s.app("other")
		signed := func(secret string, method jwt.SigningMethod, claims jwt.MapClaims) string {
			var key any = []byte(secret)
			if method == jwt.SigningMethodNone {
				key = jwt.UnsafeAllowNoneSignatureType
			}
			token, err := jwt.NewWithClaims(method, claims).SignedString(key)
			if err != nil {
				s.Fatal(err)
			}
			return token
		}
		later := time.Now().Add(time.Hour).Unix()
		org := jwt.MapClaims{"iss": "svix-server", "sub": "org_23rb8YdGqMT0qIzpgGwdXfHirMu", "exp": later}
		s.key = signed(jwtSecret, jwt.SigningMethodHS256, org)
		s.do(200, "GET", "/app", nil)
		s.key = signed(jwtSecret, jwt.SigningMethodHS512, jwt.MapClaims{"sub": strings.TrimPrefix(app, "/app/"), "org": org["sub"], "exp": later})
		s.do(200, "GET", app, nil)
		s.do(404, "GET", other, nil)
		s.do(403, "GET", "/app", nil)
		for _, wrong := range []string{
			signed("another secret", jwt.SigningMethodHS256, org),
			signed("", jwt.SigningMethodNone, org),
			signed(jwtSecret, jwt.SigningMethodHS256, jwt.MapClaims{"sub": org["sub"], "exp": time.Now().Add(-time.Hour).Unix()}),
			signed(jwtSecret, jwt.SigningMethodHS256, jwt.MapClaims{"sub": "somebody", "exp": later}),
			signed(jwtSecret, jwt.SigningMethodHS256, jwt.MapClaims{"exp": later}),
			"a.b.c", "..",
		} {
			s.key = wrong
			s.do(401, "GET", "/app", nil)
		}
	})
}

// Pages of any origin may call the API, as Svix's React hooks do.
func TestCORS(t *testing.T) {
	each(t, func(s *server) {
		ask := func(method string, header http.Header) *http.Response {
			request, err := http.NewRequestWithContext(s.Context(), method, s.url+"/api/v1/app", nil)
			if err != nil {
				s.Fatal(err)
			}
			request.Header = header
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				s.Fatal(err)
			}
			response.Body.Close()
			return response
		}
		preflight := ask("OPTIONS", http.Header{
			"Origin": {"https://crm.example"}, "Access-Control-Request-Method": {"PATCH"}, "Access-Control-Request-Headers": {"authorization,svix-req-id"},
		})
		h := preflight.Header
		if preflight.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Methods") != "PATCH" ||
			h.Get("Access-Control-Allow-Headers") != "authorization,svix-req-id" || h.Get("Access-Control-Max-Age") != "600" {
			s.Errorf("preflight: %d %v", preflight.StatusCode, h)
		}
		asked := ask("GET", http.Header{"Origin": {"https://crm.example"}, "Authorization": {"Bearer " + operatorKey}})
		if asked.StatusCode != 200 || asked.Header.Get("Access-Control-Allow-Origin") != "*" {
			s.Errorf("asked: %d %v", asked.StatusCode, asked.Header)
		}
		if plain := ask("OPTIONS", http.Header{}); plain.StatusCode != 405 {
			s.Errorf("OPTIONS: %d", plain.StatusCode)
		}
	})
}
