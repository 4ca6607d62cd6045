package main

import (
	"context"
	"os"

	"github.com/aftercall/aftercall/internal/demo"
)

type demoCmd struct {
	Exit bool `help:"End when the CRM's record was changed, and fail if it was not."`
	logFlags
}

// Run shows the demo.
func (c *demoCmd) Run(ctx context.Context) error {
	if c.LogLevel < 4 { // the story is the output; the server's log would drown it
		c.LogLevel = 4
	}
	return demo.Run(ctx, demo.Config{Out: os.Stdout, Exit: c.Exit, Log: c.logger()})
}
