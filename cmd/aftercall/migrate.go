package main

import (
	"context"
	"fmt"

	"github.com/aftercall/aftercall/internal/app"
)

type migrateCmd struct {
	databaseFlag
}

// Run migrates and says to what.
func (c *migrateCmd) Run(ctx context.Context) error {
	version, err := app.Migrate(ctx, c.DB)
	if err != nil {
		return err
	}
	fmt.Printf("The schema is version %d.\n", version)
	return nil
}
