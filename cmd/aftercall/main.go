// Command aftercall is the whole product: the server, and the tools around it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // time zones on machines and images that have none

	"github.com/alecthomas/kong"
)

// cli is every command with its flags. A flag may be given by environment as
// AFTERCALL_ and its name in capitals.
type cli struct {
	Serve           serveCmd           `cmd:"" help:"Run the server."`
	Demo            demoCmd            `cmd:"" help:"See it work: a server, a sample account, a sample CRM and a simulated call, all in one."`
	Account         accountCmd         `cmd:"" help:"Accounts and their API keys."`
	Contacts        contactsCmd        `cmd:"" help:"Import and export contacts."`
	LoginLink       loginLinkCmd       `cmd:"" help:"Print a link that signs in to the portal, once."`
	Listen          listenCmd          `cmd:"" help:"Receive webhooks here, verify them and show what they say."`
	Bench           benchCmd           `cmd:"" help:"Measure this program on this machine."`
	Import          importCmd          `cmd:"" help:"Take over what another server has."`
	RotateMasterKey rotateMasterKeyCmd `cmd:"" help:"Seal the secrets with a new master key. Works while a server runs."`
	Migrate         migrateCmd         `cmd:"" help:"Bring a database's schema up to this program's, without starting the server."`
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("aftercall"),
		kong.Description("Takes each finished call and delivers what happened to the customer's CRM, as signed, retried webhooks."),
		kong.DefaultEnvars("AFTERCALL"),
		kong.UsageOnError(),
		kong.TypeMapper(typeOf[netip.Prefix](), kong.MapperFunc(prefix)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "aftercall:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	ctx, stop := untilSignal()
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "aftercall:", err)
		return 1
	}
	return 0
}

// untilSignal ends the context at the first SIGINT or SIGTERM. A second one ends the
// program at once, for whoever does not want to wait.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// logFlags choose what is logged.
type logFlags struct {
	LogLevel  slog.Level `help:"debug, info, warn or error. At debug every request and attempt has its line, else those that failed." default:"info"`
	LogFormat string     `help:"json or text." enum:"json,text" default:"json"`
}

func (f logFlags) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// databaseFlag names the database.
type databaseFlag struct {
	DB string `help:"Database: a file, or postgres://user:password@host/name." default:"aftercall.db"`
}

// masterKeyFlag gives the keys that seal secrets.
type masterKeyFlag struct {
	MasterKey []string `help:"Keys that seal the secrets of endpoints and trunks, the newest first, each base64 of 32 bytes. Without any, the file FILE.key beside an SQLite database holds them, and on PostgreSQL nothing is sealed."`
}

// shutdownTimeout is how long requests in progress may take to end.
const shutdownTimeout = 20 * time.Second
