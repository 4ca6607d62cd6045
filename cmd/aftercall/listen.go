package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aftercall/aftercall/internal/listen"
	"github.com/aftercall/aftercall/signature"
)

type listenCmd struct {
	Listen string   `help:"Address to receive on." default:"127.0.0.1:9000"`
	Secret []string `help:"Secret of the endpoint, whsec_…; without one signatures are not checked. Several while it rotates."`
	Status int      `help:"Answer with this status instead of 204."`
	Fail   int      `help:"Fail only the first so many webhooks, to see them retried."`
}

// Run receives until a signal.
func (c *listenCmd) Run(ctx context.Context) error {
	config := listen.Config{Out: os.Stdout, Status: c.Status, Fail: c.Fail}
	if len(c.Secret) > 0 {
		verifier, err := signature.NewVerifier(c.Secret...)
		if err != nil {
			return err
		}
		config.Verifier = verifier
	}
	handler, err := listen.New(config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	fmt.Printf("Receiving webhooks on http://%s\n", listener.Addr())
	if config.Verifier == nil {
		fmt.Println("Signatures are not checked: give the endpoint's --secret to have them checked.")
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
