package main

import (
	"net/netip"
	"reflect"

	"github.com/alecthomas/kong"

	"github.com/aftercall/aftercall"
)

// schedule reads a retry schedule from a flag.
type schedule struct{ aftercall.Schedule }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *schedule) UnmarshalText(text []byte) (err error) {
	s.Schedule, err = aftercall.ParseSchedule(string(text))
	return err
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// prefix reads a network, "10.0.0.0/8", or a single address.
func prefix(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("network", &text); err != nil {
		return err
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		address, addressErr := netip.ParseAddr(text)
		if addressErr != nil {
			return err
		}
		p = netip.PrefixFrom(address, address.BitLen())
	}
	target.Set(reflect.ValueOf(p))
	return nil
}
