package svix_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	sdk "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
	"github.com/svix/svix-webhooks/go/utils"
)

// client is Svix's own SDK, pointed at the server.
func (s *server) client() *sdk.Svix {
	s.Helper()
	address, err := url.Parse(s.url)
	if err != nil {
		s.Fatal(err)
	}
	client, err := sdk.New(s.key, &sdk.SvixOptions{ServerUrl: address, RetrySchedule: &[]time.Duration{}})
	if err != nil {
		s.Fatal(err)
	}
	return client
}

// must returns what a call of the SDK returned, and fails the test if that is an error.
func must[T any](s *server) func(T, error) T {
	return func(v T, err error) T {
		s.Helper()
		s.ok(err)
		return v
	}
}

func (s *server) ok(err error) {
	s.Helper()
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		s.Fatalf("%d %s", e.Status(), e.Body())
	}
	if err != nil {
		s.Fatal(err)
	}
}

// kept checks that every field that was sent is shown as it was. Renamed are those that
// have another name in answers; not shown are those that nobody is to see.
func kept(s *server, sent, got any, notShown ...string) {
	s.Helper()
	fields := func(v any) map[string]json.RawMessage {
		text, err := json.Marshal(v)
		s.ok(err)
		var o map[string]json.RawMessage
		s.ok(json.Unmarshal(text, &o))
		return o
	}
	want, have := fields(sent), fields(got)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !slices.Contains(notShown, name) && string(want[name]) != string(have[name]) {
			s.Errorf("%s was sent as %s and is %s", name, want[name], have[name])
		}
	}
}

// Svix's SDK does everything that it can do with applications and event types, and
// nothing that it sends is lost.
func TestSDKCatalogue(t *testing.T) {
	each(t, func(s *server) {
		ctx, c := s.Context(), s.client()
		in := models.ApplicationIn{Name: "one", Uid: new("customer-1"), ThrottleRate: new(uint16(5)), RateLimit: new(uint16(5)), Metadata: &map[string]string{"a": "b"}}
		app := must[*models.ApplicationOut](s)(c.Application.Create(ctx, in, nil))
		kept(s, in, app)
		if same := must[*models.ApplicationOut](s)(c.Application.GetOrCreate(ctx, in, nil)); same.Id != app.Id {
			s.Errorf("GetOrCreate made another: %v", same)
		}
		in.Name = "two"
		kept(s, in, must[*models.ApplicationOut](s)(c.Application.Update(ctx, app.Id, in)))
		patched := must[*models.ApplicationOut](s)(c.Application.Patch(ctx, app.Id, models.ApplicationPatch{Uid: utils.NewNullableFromPtr[string](nil), ThrottleRate: utils.NewNullable(uint16(9))}))
		if patched.Uid != nil || *patched.ThrottleRate != 9 || patched.Name != "two" {
			s.Errorf("patched it is %v", patched)
		}
		patched = must[*models.ApplicationOut](s)(c.Application.Patch(ctx, app.Id, models.ApplicationPatch{ThrottleRate: utils.NewNullableFromPtr[uint16](nil)}))
		if patched.ThrottleRate != nil {
			s.Errorf("null leaves the rate at %v", *patched.ThrottleRate)
		}
		if list := must[*models.ListResponseApplicationOut](s)(c.Application.List(ctx, &sdk.ApplicationListOptions{Limit: new(uint64(1))})); len(list.Data) != 1 || !list.Done {
			s.Errorf("listed is %v", list)
		}

		eventType := models.EventTypeIn{
			Name: "a.b", Description: "AB", Archived: new(false), Deprecated: new(true), FeatureFlags: []string{"x", "y"}, GroupName: new("a"),
			Schemas: &map[string]any{"1": map[string]any{"type": "object", "example": map[string]any{"n": 1}}},
		}
		kept(s, eventType, must[*models.EventTypeOut](s)(c.EventType.Create(ctx, eventType, nil)))
		kept(s, eventType, must[*models.EventTypeOut](s)(c.EventType.Get(ctx, "a.b")))
		update := models.EventTypeUpdate{Description: "new", FeatureFlag: new("z")}
		updated := must[*models.EventTypeOut](s)(c.EventType.Update(ctx, "a.b", update))
		kept(s, update, updated)
		if updated.Deprecated || updated.GroupName != nil || updated.Schemas != nil {
			s.Errorf("an update leaves %v", updated)
		}
		patchedType := must[*models.EventTypeOut](s)(c.EventType.Patch(ctx, "a.b", models.EventTypePatch{FeatureFlags: utils.NewNullableFromPtr[[]string](nil), Archived: new(true)}))
		if len(patchedType.FeatureFlags) != 0 || patchedType.FeatureFlag != nil || !*patchedType.Archived || patchedType.Description != "new" {
			s.Errorf("patched it is %v", patchedType)
		}
		for archived, want := range map[bool]int{false: 3, true: 4} {
			list := must[*models.ListResponseEventTypeOut](s)(c.EventType.List(ctx, &sdk.EventTypeListOptions{IncludeArchived: &archived, WithContent: new(true)}))
			if len(list.Data) != want {
				s.Errorf("archived %v: there are %d event types", archived, len(list.Data))
			}
		}
		imported := must[*models.EventTypeImportOpenApiOut](s)(c.EventType.ImportOpenapi(ctx, models.EventTypeImportOpenApiIn{SpecRaw: new(petSpec), DryRun: new(true)}, nil))
		if len(imported.Data.ToModify) != 2 {
			s.Errorf("an import would change %v", imported.Data)
		}
		environment := must[*models.EnvironmentOut](s)(c.Environment.Export(ctx, nil))
		if len(environment.EventTypes) != 4 {
			s.Errorf("exported is %v", environment)
		}
		s.ok(c.EventType.Delete(ctx, "a.b", &sdk.EventTypeDeleteOptions{Expunge: new(true)}))
		s.ok(c.Application.Delete(ctx, app.Id))
	})
}

// An integration's key opens its application as far as a portal's token does, until it is
// rotated; applications are listed by whether they have endpoints.
func TestSDKIntegrations(t *testing.T) {
	each(t, func(s *server) {
		ctx, c := s.Context(), s.client()
		var apps []string
		for range 3 {
			apps = append(apps, must[*models.ApplicationOut](s)(c.Application.Create(ctx, models.ApplicationIn{Name: "one"}, nil)).Id)
		}
		for i, disabled := range []bool{false, true} {
			must[*models.EndpointOut](s)(c.Endpoint.Create(ctx, apps[i], models.EndpointIn{Url: "https://crm.example/", Disabled: &disabled}, nil))
		}
		for want, options := range map[int]sdk.ApplicationListOptions{
			3: {}, 2: {ExcludeAppsWithNoEndpoints: new(true)}, 1: {ExcludeAppsWithNoEndpoints: new(true), ExcludeAppsWithDisabledEndpoints: new(true)},
		} {
			if list := must[*models.ListResponseApplicationOut](s)(c.Application.List(ctx, &options)); len(list.Data) != want {
				s.Errorf("%d applications are listed, want %d", len(list.Data), want)
			}
		}
		in := models.IntegrationIn{Name: "Zapier", FeatureFlags: []string{"x"}}
		made := must[*models.IntegrationOut](s)(c.Integration.Create(ctx, apps[0], in, nil))
		kept(s, in, made)
		kept(s, in, must[*models.IntegrationOut](s)(c.Integration.Get(ctx, apps[0], made.Id)))
		update := models.IntegrationUpdate{Name: "Make"}
		kept(s, update, must[*models.IntegrationOut](s)(c.Integration.Update(ctx, apps[0], made.Id, update)))
		if list := must[*models.ListResponseIntegrationOut](s)(c.Integration.List(ctx, apps[0], nil)); len(list.Data) != 1 || list.Data[0].Name != "Make" {
			s.Errorf("listed are %v", list.Data)
		}
		first := must[*models.IntegrationKeyOut](s)(c.Integration.RotateKey(ctx, apps[0], made.Id, nil)).Key
		second := must[*models.IntegrationKeyOut](s)(c.Integration.RotateKey(ctx, apps[0], made.Id, nil)).Key
		for key, status := range map[string]int{first: 401, second: 200} {
			s.key = key
			s.do(status, "GET", "/app/"+apps[0]+"/endpoint", nil)
		}
		s.key = second
		s.do(404, "GET", "/app/"+apps[1]+"/endpoint", nil)
		s.do(403, "GET", "/app", nil)
		s.ok(c.Integration.Delete(ctx, apps[0], made.Id))
		s.do(401, "GET", "/app/"+apps[0]+"/endpoint", nil)
		s.key = operatorKey
		s.do(404, "GET", "/app/"+apps[0]+"/integration/"+made.Id, nil)
		s.do(422, "POST", "/app/"+apps[0]+"/integration", object{"name": " "})
	})
}

// The same for endpoints, with every field that may be null.
func TestSDKEndpoints(t *testing.T) {
	each(t, func(s *server) {
		ctx, c := s.Context(), s.client()
		app := must[*models.ApplicationOut](s)(c.Application.Create(ctx, models.ApplicationIn{Name: "one"}, nil)).Id
		in := models.EndpointIn{
			Url: "https://crm.example/hook", Uid: new("crm"), Description: new("the CRM"), Disabled: new(false), FilterTypes: []string{"call_ended"},
			Channels: []string{"a", "b"}, ThrottleRate: new(uint16(3)), RateLimit: new(uint16(3)), Metadata: &map[string]string{"a": "b"}, Version: new(uint16(2)),
			Secret: new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Headers: &map[string]string{"X-Own": "1", "Authorization": "Bearer x"},
		}
		made := must[*models.EndpointOut](s)(c.Endpoint.Create(ctx, app, in, nil))
		kept(s, in, made, "secret", "headers")
		if key := must[*models.EndpointSecretOut](s)(c.Endpoint.GetSecret(ctx, app, "crm")).Key; key != *in.Secret {
			s.Errorf("the secret is %s", key)
		}
		headers := must[*models.EndpointHeadersOut](s)(c.Endpoint.GetHeaders(ctx, app, "crm"))
		if headers.Headers["X-Own"] != "1" || len(headers.Headers) != 1 || !slices.Equal(headers.Sensitive, []string{"Authorization"}) {
			s.Errorf("the headers are %v", headers)
		}
		null := models.EndpointPatch{
			Uid: utils.NewNullableFromPtr[string](nil), Channels: utils.NewNullableFromPtr[[]string](nil), FilterTypes: utils.NewNullableFromPtr[[]string](nil),
			ThrottleRate: utils.NewNullableFromPtr[uint16](nil), Secret: utils.NewNullableFromPtr[string](nil),
		}
		patched := must[*models.EndpointOut](s)(c.Endpoint.Patch(ctx, app, made.Id, null))
		if patched.Uid != nil || patched.Channels != nil || patched.FilterTypes != nil || patched.ThrottleRate != nil || patched.Description != "the CRM" || patched.Version != 2 {
			s.Errorf("null leaves %v", patched)
		}
		some := models.EndpointPatch{
			Url: new("https://crm.example/other"), Description: new("new"), Disabled: new(true), Metadata: &map[string]string{"c": "d"}, Version: new(uint16(4)),
			Channels: utils.NewNullable([]string{"x"}), FilterTypes: utils.NewNullable([]string{"other.type"}), RateLimit: utils.NewNullable(uint16(8)),
			Uid: utils.NewNullable("uid-2"), Secret: utils.NewNullable("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
		}
		kept(s, some, must[*models.EndpointOut](s)(c.Endpoint.Patch(ctx, app, made.Id, some)), "secret")
		if key := must[*models.EndpointSecretOut](s)(c.Endpoint.GetSecret(ctx, app, made.Id)).Key; key != "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" {
			s.Errorf("patched the secret is %s", key)
		}
		update := models.EndpointUpdate{Url: "https://crm.example/third", Version: new(uint16(1)), RateLimit: new(uint16(2)), Uid: new("uid-2")}
		updated := must[*models.EndpointOut](s)(c.Endpoint.Update(ctx, app, "uid-2", update))
		kept(s, update, updated)
		if updated.Description != "" || *updated.Disabled || len(updated.Metadata) != 0 {
			s.Errorf("an update leaves %v", updated)
		}
		s.ok(c.Endpoint.UpdateHeaders(ctx, app, "uid-2", models.EndpointHeadersIn{Headers: map[string]string{"X-A": "1", "X-B": "2"}}))
		s.ok(c.Endpoint.PatchHeaders(ctx, app, "uid-2", models.EndpointHeadersPatchIn{Headers: map[string]string{"X-C": "3"}, DeleteHeaders: []string{"X-A"}}))
		if headers := must[*models.EndpointHeadersOut](s)(c.Endpoint.GetHeaders(ctx, app, "uid-2")).Headers; len(headers) != 2 || headers["X-C"] != "3" {
			s.Errorf("patched the headers are %v", headers)
		}
		s.ok(c.Endpoint.RotateSecret(ctx, app, "uid-2", models.EndpointSecretRotateIn{Key: in.Secret}, nil))

		operational := models.OperationalWebhookEndpointIn{Url: "https://ops.example/", Description: new("ops"), FilterTypes: []string{"endpoint.disabled"}, Uid: new("ops"), Metadata: &map[string]string{}}
		kept(s, operational, must[*models.OperationalWebhookEndpointOut](s)(c.OperationalWebhookEndpoint.Create(ctx, operational, nil)))
		must[*models.OperationalWebhookEndpointSecretOut](s)(c.OperationalWebhookEndpoint.GetSecret(ctx, "ops"))
		if list := must[*models.ListResponseOperationalWebhookEndpointOut](s)(c.OperationalWebhookEndpoint.List(ctx, nil)); len(list.Data) != 1 {
			s.Errorf("operational endpoints are %v", list.Data)
		}
		s.ok(c.OperationalWebhookEndpoint.Delete(ctx, "ops"))
		s.ok(c.Endpoint.Delete(ctx, app, "uid-2"))
	})
}

// And for messages: sent, seen, sent again, erased.
func TestSDKMessages(t *testing.T) {
	each(t, func(s *server) {
		ctx, c, crm := s.Context(), s.client(), receive(s.T)
		app := must[*models.ApplicationOut](s)(c.Application.Create(ctx, models.ApplicationIn{Name: "one"}, nil)).Id
		crm.answer(500)
		endpoint := must[*models.EndpointOut](s)(c.Endpoint.Create(ctx, app, models.EndpointIn{Url: crm.URL}, nil)).Id
		in := models.MessageIn{
			EventType: "call_ended", EventId: new("e-1"), Channels: []string{"a"}, Tags: []string{"t"}, Payload: map[string]any{"a": 1}, PayloadRetentionHours: new(int64(24)),
		}
		sent := must[*models.MessageOut](s)(c.Message.Create(ctx, app, in, nil))
		kept(s, in, sent, "payloadRetentionHours")
		at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		later := must[*models.MessageOut](s)(c.Message.Create(ctx, app, models.MessageIn{EventType: "other.type", Payload: map[string]any{}, DeliverAt: &at}, nil))
		if !later.DeliverAt.Equal(at) {
			s.Errorf("it is delivered at %v", later.DeliverAt)
		}
		raw := must[*models.MessageOut](s)(c.Message.Create(ctx, app, *sdk.NewMessageInRaw("other.type", "<x/>", new("text/xml")), nil))
		if must[*models.MessagePrecheckOut](s)(c.Message.Precheck(ctx, app, models.MessagePrecheckIn{EventType: "call_ended"}, nil)).Active != true {
			s.Error("a message would go nowhere")
		}
		s.until("both attempts failed", func() bool {
			return must[*models.EndpointStats](s)(c.Endpoint.GetStats(ctx, app, endpoint, nil)).Fail == 2
		})
		if got := must[*models.MessageOut](s)(c.Message.Get(ctx, app, "e-1", &sdk.MessageGetOptions{WithContent: new(true)})); got.Id != sent.Id || got.Payload["a"] != 1.0 {
			s.Errorf("got %v", got)
		}
		listed := must[*models.ListResponseMessageOut](s)(c.Message.List(ctx, app, &sdk.MessageListOptions{
			Limit: new(uint64(5)), Channel: new("a"), Tag: new("t"), EventTypes: &[]string{"call_ended", "x"}, Before: new(time.Now().Add(time.Minute)), After: new(time.Now().Add(-time.Minute)), WithContent: new(false),
		}))
		if len(listed.Data) != 1 || len(listed.Data[0].Payload) != 0 {
			s.Errorf("listed are %v", listed.Data)
		}
		attempts := must[*models.ListResponseMessageAttemptOut](s)(c.MessageAttempt.ListByEndpoint(ctx, app, endpoint, &sdk.MessageAttemptListByEndpointOptions{
			Status: new(models.MESSAGESTATUS_FAIL), StatusCodeClass: new(models.STATUSCODECLASS_CODE5XX), WithMsg: new(true), EventTypes: &[]string{"call_ended"},
		}))
		if len(attempts.Data) == 0 || attempts.Data[0].Msg == nil || attempts.Data[0].ResponseStatusCode != 500 {
			s.Fatalf("attempts are %v", attempts.Data)
		}
		if byMsg := must[*models.ListResponseMessageAttemptOut](s)(c.MessageAttempt.ListByMsg(ctx, app, sent.Id, nil)); len(byMsg.Data) != len(attempts.Data) {
			s.Errorf("attempts of the message are %v", byMsg.Data)
		}
		attempt := attempts.Data[0].Id
		must[*models.MessageAttemptOut](s)(c.MessageAttempt.Get(ctx, app, sent.Id, attempt, nil))
		crm.answer(200)
		must[*models.EmptyResponse](s)(c.MessageAttempt.Resend(ctx, app, sent.Id, endpoint, nil))
		s.until("the resend arrived", func() bool {
			list := must[*models.ListResponseMessageEndpointOut](s)(c.MessageAttempt.ListAttemptedDestinations(ctx, app, sent.Id, nil))
			return len(list.Data) == 1 && list.Data[0].Status == models.MESSAGESTATUS_SUCCESS
		})
		since := time.Now().Add(-time.Hour)
		task := must[*models.RecoverOut](s)(c.Endpoint.Recover(ctx, app, endpoint, models.RecoverIn{Since: since}, nil))
		must[*models.ReplayOut](s)(c.Endpoint.ReplayMissing(ctx, app, endpoint, models.ReplayIn{Since: since}, nil))
		must[*models.ReplayOut](s)(c.Endpoint.BulkReplay(ctx, app, endpoint, models.BulkReplayIn{Since: since, Status: new(models.MESSAGESTATUS_SUCCESS), Tag: new("t"), StatusCodeClass: new(models.STATUSCODECLASS_CODE2XX)}, nil))
		s.until("the recovery is over", func() bool {
			return must[*models.BackgroundTaskOut](s)(c.BackgroundTask.Get(ctx, task.Id)).Status == models.BACKGROUNDTASKSTATUS_FINISHED
		})
		if tasks := must[*models.ListResponseBackgroundTaskOut](s)(c.BackgroundTask.List(ctx, &sdk.BackgroundTaskListOptions{Task: new(models.BACKGROUNDTASKTYPE_ENDPOINT_RECOVER)})); len(tasks.Data) != 1 {
			s.Errorf("tasks are %v", tasks.Data)
		}
		if seen := must[*models.ListResponseEndpointMessageOut](s)(c.MessageAttempt.ListAttemptedMessages(ctx, app, endpoint, nil)); len(seen.Data) != 3 { // one of them is to go later
			s.Errorf("attempted messages are %v", seen.Data)
		}
		s.ok(c.MessageAttempt.ExpungeContent(ctx, app, sent.Id, attempt))
		s.ok(c.Message.ExpungeContent(ctx, app, raw.Id))
		must[*models.ExpungeAllContentsOut](s)(c.Message.ExpungeAllContents(ctx, app, nil))

		access := must[*models.AppPortalAccessOut](s)(c.Authentication.AppPortalAccess(ctx, app, models.AppPortalAccessIn{
			FeatureFlags: []string{"x"}, Capabilities: []models.AppPortalCapability{models.APPPORTALCAPABILITY_VIEW_BASE}, Expiry: new(uint64(3600)), SessionId: new("s-1"),
		}, nil))
		s.key = access.Token
		must[*models.ApplicationOut](s)(s.client().Application.Get(ctx, app))
		s.ok(c.Authentication.ExpireAll(ctx, app, models.ApplicationTokenExpireIn{SessionIds: []string{"s-1"}}, nil))
		if _, err := s.client().Application.Get(ctx, app); err == nil {
			s.Error("the token is still valid")
		}
	})
}
