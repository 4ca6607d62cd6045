package main

import (
	"context"
	"fmt"

	"github.com/aftercall/aftercall/internal/app"
)

type loginLinkCmd struct {
	databaseFlag
	Account string `help:"Id or uid of the account to open. Without it, the link is the operator's."`
	BaseURL string `help:"Address at which people reach the server." default:"http://127.0.0.1:8080"`
}

// Run prints a one-time link to the portal.
func (c *loginLinkCmd) Run(ctx context.Context) error {
	link, err := app.LoginLink(ctx, c.DB, c.BaseURL, c.Account)
	if err != nil {
		return err
	}
	fmt.Println(link)
	return nil
}
