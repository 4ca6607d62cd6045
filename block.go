package aftercall

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// BlockedNumber is a number that is never dialled.
type BlockedNumber struct {
	AccountID string
	Hash      string // see NumberHash
	Number    string // E.164; empty once its contact was erased
	Reason    string // in the words of who blocked it
	CreatedAt time.Time
}

// NumberHash stands for a number where the number itself must not be kept. It hides it
// from who reads it, not from who tries all numbers.
func NumberHash(accountID, number string) string {
	sum := sha256.Sum256([]byte(accountID + " " + number))
	return hex.EncodeToString(sum[:16])
}

// NewBlockedNumber checks a number that is to be blocked. Error: Invalid.
func NewBlockedNumber(accountID, number, reason string) (BlockedNumber, error) {
	var f fieldErrors
	e164 := validatePhone(&f, "number", number)
	validateText(&f, "reason", reason, maxName)
	return BlockedNumber{AccountID: accountID, Hash: NumberHash(accountID, e164), Number: e164, Reason: reason}, f.err()
}

// AskedInCall is the reason for blocking the number of who asked for it in a call.
const AskedInCall = "asked not to be called"

// DialRecord says why a call was allowed, or that one which was allowed was never
// placed.
type DialRecord struct {
	AccountID  string
	NumberHash string
	At         time.Time // when it was decided
	CallID     string
	AgentID    string
	NotPlaced  bool
	Reason     DialReason
}

// DialReason is what was looked at when a call was allowed.
type DialReason struct {
	By       string   `json:"by"`            // schedule, request, or wish of the contact
	Zones    []string `json:"zones"`         // in all of which the hours were open, unless it was a request or a wish
	Attempts int      `json:"attempts"`      // to the number in the 24 hours before
	Limit    int      `json:"limit"`         // of those
	Run      string   `json:"run"`           // which run's
	Attempt  int      `json:"attempt"`       // the number of it in the run
	Why      string   `json:"why,omitempty"` // of one that was never placed
}
