package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"github.com/aftercall/aftercall/internal/app"
)

type serveCmd struct {
	databaseFlag
	masterKeyFlag
	logFlags
	Listen              string         `help:"Address to serve on." default:"127.0.0.1:8080"`
	OperatorKey         string         `help:"The operator's key. Without it, one is made at the first start and printed once."`
	BaseURL             string         `help:"Address at which people reach the server, for links. Without it, the address served on."`
	JWTSecret           string         `name:"jwt-secret" help:"Accept the tokens of a Svix server that this one replaces: what it signed them with (HS256)."`
	RetrySchedule       schedule       `help:"Waits between the attempts of a delivery, each counted from the failure before." default:"5s,5m,30m,2h,5h,10h,10h"`
	DeliveryTimeout     time.Duration  `help:"How long a receiver may take to answer." default:"15s"`
	DisableAfter        time.Duration  `help:"How long an endpoint may fail before it is disabled; 0 never disables." default:"120h"`
	HTTPSOnly           bool           `name:"https-only" help:"Refuse endpoints whose address begins with http://."`
	AllowNetworks       []netip.Prefix `help:"Networks that webhooks may be sent to although they are not public, such as 10.0.0.0/8."`
	Concurrency         int            `help:"Attempts that may be in flight, in all." default:"1024"`
	EndpointConcurrency int            `help:"Attempts that may be in flight at one endpoint." default:"64"`
	SimulatorSpeed      float64        `help:"How fast simulated calls are: 1 is real time, 60 a minute in a second, 0 at once." default:"1"`
	SimulatorSeed       uint64         `help:"What simulated calls follow from: with the same seed the same numbers always answer alike." default:"1"`
	SimulatorAnyNumber  bool           `help:"Simulate calls to numbers that may be somebody's, too. Nobody is called, but it may look so."`
}

// Validate is called by kong.
func (c *serveCmd) Validate() error {
	switch {
	case c.DeliveryTimeout < time.Second || c.DeliveryTimeout > 5*time.Minute:
		return fmt.Errorf("--delivery-timeout must be 1s to 5m")
	case c.SimulatorSpeed < 0 || c.SimulatorSpeed > 1e6:
		return fmt.Errorf("--simulator-speed must be 0 to 1000000")
	case c.Concurrency < 1 || c.EndpointConcurrency < 1:
		return fmt.Errorf("--concurrency and --endpoint-concurrency must be at least 1")
	}
	return nil
}

// gcPercent trades memory for speed: a server holds little that lives long and makes
// much that does not.
const gcPercent = 200

// Run serves until a signal.
func (c *serveCmd) Run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := c.logger()
	a, err := app.Open(ctx, app.Config{
		Listen: c.Listen, Database: c.DB, BaseURL: c.BaseURL, OperatorKey: c.OperatorKey, MasterKeys: c.MasterKey, JWTSecret: c.JWTSecret,
		Schedule: c.RetrySchedule.Schedule, DeliveryTimeout: c.DeliveryTimeout, DisableAfter: c.DisableAfter,
		HTTPSOnly: c.HTTPSOnly, AllowNetworks: c.AllowNetworks, Concurrency: c.Concurrency, EndpointConcurrency: c.EndpointConcurrency,
		ShutdownTimeout: shutdownTimeout, Log: log,
		SimulatorSpeed: c.SimulatorSpeed, SimulatorSeed: c.SimulatorSeed, SimulatorAnyNumber: c.SimulatorAnyNumber,
	})
	if err != nil {
		return err
	}
	defer a.Close()
	if a.OperatorKey != "" {
		fmt.Fprintf(os.Stderr, "\n  The operator's key, shown this once. Keep it:\n\n    %s\n\n  The portal, by a link that works once:\n\n    %s\n\n", a.OperatorKey, a.LoginLink)
	}
	log.Info("serving", "address", "http://"+a.Addr(), "database", a.Store().Dialect())
	err = a.Run(ctx)
	log.Info("stopped")
	return err
}
