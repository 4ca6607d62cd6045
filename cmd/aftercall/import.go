package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/aftercall/aftercall/internal/app"
)

type importCmd struct {
	Svix importSvixCmd `cmd:"" help:"Applications, endpoints, secrets, headers and event types of a Svix server, with their ids. On SQLite, stop the server first."`
}

type importSvixCmd struct {
	databaseFlag
	masterKeyFlag
	URL   *url.URL `help:"The Svix server, such as https://api.eu.svix.com." required:""`
	Token string   `help:"Its token, of an organisation." required:""`
}

// Run brings everything over, and says what could not come.
func (c *importSvixCmd) Run(ctx context.Context) error {
	result, err := app.ImportSvix(ctx, c.DB, c.MasterKey, c.URL, c.Token)
	fmt.Printf("Imported %d event types, %d applications and %d endpoints; %d were here already.\n",
		result.EventTypes, result.Accounts, result.Endpoints, result.Present)
	for _, note := range result.Notes {
		fmt.Fprintln(os.Stderr, "note:", note)
	}
	return err
}
