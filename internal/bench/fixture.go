package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/store"
)

// fixture is a server with an account and its endpoints.
type fixture struct {
	bench     *bench
	database  string
	flags     []string
	server    *server
	account   string
	key       string
	endpoints []string // their ids
}

// newFixture starts a server and adds endpoints for everything live, whose addresses
// are at a path of the receiver. It is warm: all of it has been used.
func (b *bench) newFixture(ctx context.Context, database, path string, endpoints int, flags ...string) (f *fixture, err error) {
	f = &fixture{bench: b, database: database, flags: flags}
	if f.server, err = startServer(ctx, database, flags...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	var account struct {
		AccountID string `json:"account_id"`
		APIKey    string `json:"api_key"`
	}
	if err := output(ctx, &account, "account", "create", "--db", database, "--name", "Bench", "--json"); err != nil {
		return nil, err
	}
	f.account, f.key = account.AccountID, account.APIKey
	for range endpoints {
		if err := f.addEndpoint(ctx, path, liveType, "contact_status_changed"); err != nil {
			return nil, err
		}
	}
	if path == hangPath {
		return f, nil
	}
	const warm = 500
	_, _, err = b.load(ctx, f.publish(Messages, warm, workers, 0), warm*endpoints)
	return f, err
}

func (f *fixture) close() { _ = f.server.stop() }

// publish is a load for the fixture's account.
func (f *fixture) publish(kind Kind, count, workers int, every time.Duration) Load {
	l := Load{URL: f.path("/msg?with_content=false"), Key: f.key, Kind: kind, Type: liveType, Count: count, Workers: workers, Every: every}
	if kind == Calls {
		l.URL = f.server.url + "/v1/report-call"
	}
	return l
}

func (f *fixture) path(rest string) string { return f.server.url + "/api/v1/app/" + f.account + rest }

func (f *fixture) call(ctx context.Context, method, path string, body, answer any) error {
	return request(ctx, method, f.path(path), f.key, body, answer)
}

// addEndpoint adds an endpoint at a path of the receiver, for some event types.
func (f *fixture) addEndpoint(ctx context.Context, path string, types ...string) error {
	var endpoint struct{ ID string }
	body := map[string]any{"url": f.bench.receiver.Hooks + path, "filterTypes": types}
	err := f.call(ctx, http.MethodPost, "/endpoint", body, &endpoint)
	f.endpoints = append(f.endpoints, endpoint.ID)
	return err
}

// fill adds an endpoint, stores messages for it that it alone wants, pending or failed,
// while no server runs, and starts the server again.
func (f *fixture) fill(ctx context.Context, path string, count int, failed bool) error {
	eventType := map[string]any{"name": backlogType, "description": "Waits."}
	if err := request(ctx, http.MethodPost, f.server.url+"/api/v1/event-type", operatorKey, eventType, nil); err != nil {
		return err
	}
	if err := f.addEndpoint(ctx, path, backlogType); err != nil {
		return err
	}
	if err := f.server.stop(); err != nil {
		return err
	}
	s, err := store.Open(ctx, f.database)
	if err != nil {
		return err
	}
	payload := fmt.Appendf(nil, `{"event":%q,"text":"%s"}`, backlogType, bytes.Repeat([]byte("y"), bodySize))
	const batch = 1000
	for left := count; left > 0 && err == nil; left -= batch {
		err = s.Update(ctx, func(tx *store.Tx) error {
			messages := make([]*aftercall.Message, min(left, batch))
			for i := range messages {
				messages[i] = &aftercall.Message{
					AccountID: f.account, ID: aftercall.NewID(aftercall.MessagePrefix, tx.Now()), EventType: backlogType, CreatedAt: tx.Now(), Payload: payload,
				}
			}
			if err := tx.Publish(messages...); err != nil || !failed {
				return err
			}
			_, err := tx.StopDeliveries(store.EndpointRef{AccountID: f.account, EndpointID: f.endpoints[len(f.endpoints)-1]}, aftercall.FailedDisabled, batch)
			return err
		})
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	f.server, err = startServer(ctx, f.database, f.flags...)
	return err
}

// used tells what the server used for some deliveries.
func (f *fixture) used(before usage, deliveries int) Row {
	after := f.server.usage()
	return Row{
		CPU:    (after.cpu - before.cpu).Seconds() / float64(deliveries) * 1000,
		Memory: float64(after.memory) / (1 << 20),
	}
}

// onPostgres measures on a new database of a server, and drops it.
func onPostgres(ctx context.Context, server string, measure func(url string) (Row, error)) (Row, error) {
	u, err := url.Parse(server)
	if err != nil {
		return Row{}, err
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return Row{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	name := pgx.Identifier{"aftercall_bench_" + aftercall.NewUUID()}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name.Sanitize()); err != nil {
		return Row{}, err
	}
	u.Path = "/" + name[0]
	row, err := measure(u.String())
	_, dropErr := conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE "+name.Sanitize()+" WITH (FORCE)")
	return row, errors.Join(err, dropErr)
}

// request calls a server, with a JSON body unless it is nil.
func request(ctx context.Context, method, url, key string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s %s was answered %s: %s", method, url, response.Status, said)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(said, answer)
}
