package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/aftercall/aftercall"
	"github.com/aftercall/aftercall/internal/app"
)

type accountCmd struct {
	Create accountCreateCmd `cmd:"" help:"Make an account and print its first API key, which is shown this once. Works while a server runs."`
	Keys   accountKeysCmd   `cmd:"" help:"List, add or revoke API keys of an account."`
}

type accountCreateCmd struct {
	databaseFlag
	masterKeyFlag
	Name     string `help:"Name of the account." required:""`
	Timezone string `help:"IANA time zone, for contacts that have none." default:"UTC"`
	BaseURL  string `help:"Address at which people reach the server, for the login link." default:"http://127.0.0.1:8080"`
	JSON     bool   `help:"Print JSON."`
}

// Run makes an account with a key.
func (c *accountCreateCmd) Run(ctx context.Context) error {
	account := aftercall.Account{Name: c.Name, Timezone: c.Timezone}
	access, err := app.CreateAccount(ctx, c.DB, c.BaseURL, &account, c.MasterKey...)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{
			"account_id": account.ID, "api_key": access.Key, "login_url": access.LoginURL,
		})
	}
	fmt.Printf("Account   %s\nAPI key   %s   (shown this once)\nPortal    %s   (works once, for a day)\n",
		account.ID, access.Key, access.LoginURL)
	// Without the address SDKs send the key to Svix's cloud.
	fmt.Printf("\nWith Svix's SDK:\n\n  const svix = new Svix(%q, { serverUrl: %q });\n", access.Key, c.BaseURL)
	return nil
}

type accountKeysCmd struct {
	databaseFlag
	Account string `arg:"" help:"Id or uid of the account."`
	Create  string `help:"Make a key with this name, and print it this once."`
	Revoke  string `help:"Revoke the key with this id."`
}

// Run shows the keys of an account, after it has made or revoked one.
func (c *accountKeysCmd) Run(ctx context.Context) error {
	keys, made, err := app.Keys(ctx, c.DB, c.Account, app.KeyChange{Create: c.Create, Revoke: c.Revoke})
	if err != nil {
		return err
	}
	if made != "" {
		fmt.Printf("API key   %s   (shown this once)\n\n", made)
	}
	const layout = "2006-01-02 15:04"
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tKEY\tCREATED\tLAST USED\tREVOKED")
	for _, k := range keys {
		used, revoked := "never", ""
		if !k.LastUsedAt.IsZero() {
			used = k.LastUsedAt.Format(layout)
		}
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format(layout)
		}
		fmt.Fprintf(table, "%s\t%s\t…%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Hint, k.CreatedAt.Format(layout), used, revoked)
	}
	return table.Flush()
}
