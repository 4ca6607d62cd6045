package main

import (
	"context"
	"fmt"

	"github.com/aftercall/aftercall/internal/app"
)

type rotateMasterKeyCmd struct {
	databaseFlag
	masterKeyFlag
}

// Run seals all secrets anew and says how many there were.
func (c *rotateMasterKeyCmd) Run(ctx context.Context) error {
	resealed, err := app.RotateMasterKey(ctx, c.DB, c.MasterKey)
	if err != nil {
		return err
	}
	fmt.Printf("Sealed %d secrets with the newest master key.\n", resealed)
	if len(c.MasterKey) == 0 {
		fmt.Printf("It is in %s.key: keep a copy.\n", c.DB)
	}
	return nil
}
