package main

import (
	"os"
	"path/filepath"
	"time"
)

// call is what is posted to start one, as far as it is needed here.
type call struct {
	ID          string    `json:"call_id"`
	CallbackURL string    `json:"callback_url"`
	NotAfter    time.Time `json:"not_after"`
}

func (c call) file() string { return filepath.Join(os.Getenv("CALLS"), filepath.Base(c.ID)) }

// create makes the call's file; only one of two requests can.
func (c call) create() error {
	f, err := os.OpenFile(c.file(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(`{"type": "queued"}`)
	return err
}
