package svix

import (
	"net/http"
	"reflect"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/auth"
	"github.com/aftercall/aftercall/internal/openapi"
	"github.com/aftercall/aftercall/internal/web"
)

// faces are the dialect for each thing that a token of the portal may be allowed, so
// that every route says what it needs.
type faces struct{ full, view, manage, secret, rotate, send *web.API }

func (a *API) faces() faces {
	need := func(c auth.Capability) *web.API {
		return &web.API{Identify: a.keys.Allow(c), WriteError: writeError, MaxBody: maxBody, Store: a.store}
	}
	return faces{
		full: need(auth.Full), view: need(auth.ViewBase), manage: need(auth.ManageEndpoint),
		secret: need(auth.ViewEndpointSecret), rotate: need(auth.ManageEndpointSecret), send: need(auth.CreateAttempts),
	}
}

func (a *API) routes() http.Handler {
	on := a.faces()
	mux := web.NewMux(on.full)
	mux.HandleFunc("GET /api/v1/health", health)
	mux.HandleFunc("GET /api/v1/health/ping", health)
	a.applicationRoutes(mux, on)
	a.integrationRoutes(mux, on)
	a.endpointRoutes(mux, on)
	a.eventTypeRoutes(mux, on)
	a.messageRoutes(mux, on)
	a.attemptRoutes(mux, on)
	a.taskRoutes(mux, on)
	a.operationalRoutes(mux, on)
	mux.Describe("/api/v1", openapi.API{
		Title: "Aftercall: webhooks",
		Description: "Applications, endpoints, messages and their attempts, as Svix's SDKs know them. " +
			"The key stands in the header Authorization: the operator's for everything, an account's for its own application, " +
			"a token of the portal for what it was given.",
		Version:  "1",
		Errors:   map[string]reflect.Type{"422": reflect.TypeFor[HTTPValidationError](), "4XX": reflect.TypeFor[HTTPError](), "5XX": reflect.TypeFor[HTTPError]()},
		Webhooks: openapi.Events(),
	})
	return web.CORS(mux)
}

func health(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func (a *API) applicationRoutes(mux *web.Mux, on faces) {
	mux.Handle("GET /api/v1/app", "application.list", web.Handle(on.full, 200, a.listApplications))
	mux.Handle("POST /api/v1/app", "application.create", web.Handle(on.full, 201, a.createApplication))
	mux.Handle("GET /api/v1/app/{app}", "application.get", web.Handle(on.view, 200, a.getApplication))
	mux.Handle("PUT /api/v1/app/{app}", "application.upsert", web.Handle(on.full, 200, a.putApplication))
	mux.Handle("PATCH /api/v1/app/{app}", "application.patch", web.Handle(on.full, 200, a.patchApplication))
	mux.Handle("DELETE /api/v1/app/{app}", "application.delete", web.Handle(on.full, 204, a.deleteApplication))

	mux.Handle("POST /api/v1/auth/app-portal-access/{app}", "authentication.appPortalAccess", web.Handle(on.full, 200, a.portalAccess))
	mux.Handle("POST /api/v1/auth/dashboard-access/{app}", "authentication.dashboardAccess", web.Handle(on.full, 200, a.portalAccess)) // its name of before
	mux.Handle("POST /api/v1/auth/app/{app}/expire-all", "authentication.expireAll", web.Handle(on.full, 204, a.expireAll))
	mux.Handle("POST /api/v1/auth/logout", "authentication.logout", web.Handle(on.view, 204, a.logout))
}

func (a *API) integrationRoutes(mux *web.Mux, on faces) {
	const all, one = "/api/v1/app/{app}/integration", "/api/v1/app/{app}/integration/{integration}"
	mux.Handle("GET "+all, "integration.list", web.Handle(on.full, 200, a.listIntegrations))
	mux.Handle("POST "+all, "integration.create", web.Handle(on.full, 201, a.createIntegration))
	mux.Handle("GET "+one, "integration.get", web.Handle(on.full, 200, a.getIntegration))
	mux.Handle("PUT "+one, "integration.update", web.Handle(on.full, 200, a.updateIntegration))
	mux.Handle("DELETE "+one, "integration.delete", web.Handle(on.full, 204, a.deleteIntegration))
	mux.Handle("POST "+one+"/key/rotate", "integration.rotateKey", web.Handle(on.full, 200, a.rotateIntegrationKey))
}

func (a *API) endpointRoutes(mux *web.Mux, on faces) {
	const all, one = "/api/v1/app/{app}/endpoint", "/api/v1/app/{app}/endpoint/{endpoint}"
	mux.Handle("GET "+all, "endpoint.list", web.Handle(on.view, 200, a.listEndpoints))
	mux.Handle("POST "+all, "endpoint.create", web.Handle(on.manage, 201, a.createEndpoint))
	mux.Handle("GET "+one, "endpoint.get", web.Handle(on.view, 200, a.getEndpoint))
	mux.Handle("PUT "+one, "endpoint.upsert", web.Handle(on.manage, 200, a.putEndpoint))
	mux.Handle("PATCH "+one, "endpoint.patch", web.Handle(on.manage, 200, a.patchEndpoint))
	mux.Handle("DELETE "+one, "endpoint.delete", web.Handle(on.manage, 204, a.deleteEndpoint))
	mux.Handle("GET "+one+"/secret", "endpoint.getSecret", web.Handle(on.secret, 200, a.getSecret))
	mux.Handle("POST "+one+"/secret/rotate", "endpoint.rotateSecret", web.Handle(on.rotate, 204, a.rotateSecret))
	mux.Handle("GET "+one+"/headers", "endpoint.getHeaders", web.Handle(on.manage, 200, a.getHeaders))
	mux.Handle("PUT "+one+"/headers", "endpoint.setHeaders", web.Handle(on.manage, 204, a.putHeaders))
	mux.Handle("PATCH "+one+"/headers", "endpoint.patchHeaders", web.Handle(on.manage, 204, a.patchHeaders))
	mux.Handle("GET "+one+"/stats", "endpoint.getStats", web.Handle(on.view, 200, a.getStats))
	mux.Handle("POST "+one+"/send-example", "endpoint.sendExample", web.Handle(on.send, 200, a.sendExample))
	mux.Handle("POST "+one+"/recover", "endpoint.recover", web.Handle(on.send, 202, a.recover))
	mux.Handle("POST "+one+"/replay-missing", "endpoint.replayMissing", web.Handle(on.send, 202, a.replayMissing))
	mux.Handle("POST "+one+"/bulk-replay", "endpoint.bulkReplay", web.Handle(on.send, 202, a.bulkReplay))
}

func (a *API) eventTypeRoutes(mux *web.Mux, on faces) {
	mux.Handle("GET /api/v1/event-type", "eventType.list", web.Handle(on.view, 200, a.listEventTypes))
	mux.Handle("POST /api/v1/event-type", "eventType.create", web.Handle(on.full, 201, a.createEventType))
	mux.Handle("GET /api/v1/event-type/{name}", "eventType.get", web.Handle(on.view, 200, a.getEventType))
	mux.Handle("PUT /api/v1/event-type/{name}", "eventType.upsert", web.Handle(on.full, 200, a.putEventType))
	mux.Handle("PATCH /api/v1/event-type/{name}", "eventType.patch", web.Handle(on.full, 200, a.patchEventType))
	mux.Handle("DELETE /api/v1/event-type/{name}", "eventType.delete", web.Handle(on.full, 204, a.deleteEventType))
	mux.Handle("POST /api/v1/event-type/import/openapi", "eventType.importOpenapi", web.Handle(on.full, 200, a.importOpenAPI))
	mux.Handle("POST /api/v1/environment/export", "environment.export", web.Handle(on.full, 200, a.exportEnvironment))
	mux.Handle("POST /api/v1/environment/import", "environment.import", web.Handle(on.full, 204, a.importEnvironment))
}

func (a *API) messageRoutes(mux *web.Mux, on faces) {
	const all, one = "/api/v1/app/{app}/msg", "/api/v1/app/{app}/msg/{msg}"
	mux.Handle("GET "+all, "message.list", web.Handle(on.view, 200, a.listMessages))
	mux.Handle("POST "+all, "message.create", web.Handle(on.full, 202, a.createMessage))
	mux.Handle("GET "+one, "message.get", web.Handle(on.view, 200, a.getMessage))
	mux.Handle("DELETE "+one+"/content", "message.expungeContent", web.Handle(on.full, 204, a.expungeMessage))
	mux.Handle("POST "+all+"/bulk-expunge", "message.bulkExpungeContent", web.Handle(on.full, 200, a.expungeMessages))
	mux.Handle("POST "+all+"/expunge-all-contents", "message.expungeAllContents", web.Handle(on.full, 202, a.expungeAll))
	mux.Handle("POST "+all+"/precheck/active", "message.precheck", web.Handle(on.full, 200, a.precheck))
}

func (a *API) attemptRoutes(mux *web.Mux, on faces) {
	const app, msg = "/api/v1/app/{app}", "/api/v1/app/{app}/msg/{msg}"
	mux.Handle("GET "+app+"/attempt/endpoint/{endpoint}", "messageAttempt.listByEndpoint", web.Handle(on.view, 200, a.listAttemptsByEndpoint))
	mux.Handle("GET "+app+"/attempt/msg/{msg}", "messageAttempt.listByMsg", web.Handle(on.view, 200, a.listAttemptsByMessage))
	mux.Handle("GET "+app+"/endpoint/{endpoint}/msg", "messageAttempt.listAttemptedMessages", web.Handle(on.view, 200, a.listEndpointMessages))
	mux.Handle("GET "+msg+"/endpoint", "messageAttempt.listAttemptedDestinations", web.Handle(on.view, 200, a.listDestinations))
	mux.Handle("GET "+msg+"/attempt/{attempt}", "messageAttempt.get", web.Handle(on.view, 200, a.getAttempt))
	mux.Handle("DELETE "+msg+"/attempt/{attempt}/content", "messageAttempt.expungeContent", web.Handle(on.full, 204, a.expungeAttempt))
	mux.Handle("POST "+msg+"/endpoint/{endpoint}/resend", "messageAttempt.resend", web.Handle(on.send, 202, a.resend))
	// Svix's older SDKs call these two.
	mux.Handle("GET "+msg+"/attempt", "messageAttempt.list", web.Handle(on.view, 200, a.listAttemptsByMessage))
	mux.Handle("GET "+msg+"/endpoint/{endpoint}/attempt", "messageAttempt.listForEndpoint", web.Handle(on.view, 200, a.listAttemptsByBoth))
}

func (a *API) taskRoutes(mux *web.Mux, on faces) {
	mux.Handle("GET /api/v1/background-task", "backgroundTask.list", web.Handle(on.view, 200, a.listTasks))
	mux.Handle("GET /api/v1/background-task/{task}", "backgroundTask.get", web.Handle(on.view, 200, a.getTask))
	mux.Handle("POST /api/v1/background-task/{task}/cancel", "backgroundTask.cancel", web.Handle(on.send, 200, a.cancelTask)) // our addition
}

// operationalRoutes are those of endpoints, for the reserved account.
func (a *API) operationalRoutes(mux *web.Mux, on faces) {
	const all, one = "/api/v1/operational-webhook/endpoint", "/api/v1/operational-webhook/endpoint/{endpoint}"
	handle := func(pattern, id string, op *web.Operation) {
		mux.Handle(pattern, "operationalWebhook.endpoint."+id, op.With("app", aftercall.OperationalAccountID))
	}
	handle("GET "+all, "list", web.Handle(on.full, 200, a.listEndpoints))
	handle("POST "+all, "create", web.Handle(on.full, 201, a.createEndpoint))
	handle("GET "+one, "get", web.Handle(on.full, 200, a.getEndpoint))
	handle("PUT "+one, "update", web.Handle(on.full, 200, a.putEndpoint))
	handle("DELETE "+one, "delete", web.Handle(on.full, 204, a.deleteEndpoint))
	handle("GET "+one+"/secret", "getSecret", web.Handle(on.full, 200, a.getSecret))
	handle("POST "+one+"/secret/rotate", "rotateSecret", web.Handle(on.full, 204, a.rotateSecret))
	handle("GET "+one+"/headers", "getHeaders", web.Handle(on.full, 200, a.getHeaders))
	handle("PUT "+one+"/headers", "updateHeaders", web.Handle(on.full, 204, a.putHeaders))
}
