package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// azureWireServer serves secrets to virtual machines from a public address.
var azureWireServer = netip.MustParseAddr("168.63.129.16")

// maxIdle is how many connections are kept for the next attempt.
const maxIdle = 1024

// NewTransport makes the HTTP client of the engine. It refuses to connect to
// addresses that are not public, except in the networks that the operator opened.
// The check is made on the address that is about to be dialled, so neither a name
// that changes its address nor a literal in another notation gets around it.
//
// No proxy is used: HTTP_PROXY would send webhooks where nobody configured it.
func NewTransport(allowed []netip.Prefix) *http.Transport {
	guard := guardian(allowed)
	dialer := &net.Dialer{
		Timeout:   10 * time.Second,
		KeepAlive: 30 * time.Second,
		Control: func(network, address string, conn syscall.RawConn) error {
			if err := guard(network, address, conn); err != nil {
				return &blockedError{address: address, err: err}
			}
			return nil
		},
	}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // a dialer of one's own turns it off
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle, // many endpoints may share one, such as hooks.zapier.com
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxRead,
	}
}

type control func(network, address string, conn syscall.RawConn) error

func guardian(allowed []netip.Prefix) control {
	var v4, v6 []netip.Prefix
	for _, prefix := range allowed {
		if prefix.Addr().Unmap().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithNetworks("tcp4", "tcp6"),
		ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	return func(network, address string, conn syscall.RawConn) error {
		if host, err := netip.ParseAddrPort(address); err == nil && host.Addr().Unmap() == azureWireServer {
			return ssrf.ErrProhibitedIP
		}
		return guard.Safe(network, address, conn)
	}
}

// blockedError tells the owner of an endpoint why it is not reached.
type blockedError struct {
	address string
	err     error
}

func (e *blockedError) Error() string {
	return fmt.Sprintf("the address %s is not public and was not called; an operator can open its network with --allow-networks", e.address)
}

func (e *blockedError) Unwrap() error { return e.err }
