package svix

import "time"

// orNil shows an empty string as null.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeOrNil shows a time that is not set as null.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// rateOrNil shows no rate as null.
func rateOrNil(rate int) *int {
	if rate == 0 {
		return nil
	}
	return &rate
}

// metadataOut shows no metadata as an empty object.
func metadataOut(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
