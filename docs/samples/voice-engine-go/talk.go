package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aftercall/aftercall/signature"
)

type object = map[string]any

// talk is where a real engine calls, speaks and listens.
func (c call) talk() {
	answered := time.Now()
	c.tell("answered", object{"at": answered, "answered_by": "human"})
	c.tell("ended", object{"at": time.Now(), "answered_at": answered, "reason": "contact_hangup", "final": true, "turns": []object{
		{"role": "agent", "text": "Hello, this is Sunny Solar. Shall we come by on Tuesday?"}, {"role": "contact", "text": "Yes, please do."},
	}})
}

// tell stores what happened, for GET, and posts it until it is taken.
func (c call) tell(kind string, event object) {
	id := c.ID + "-" + kind
	event["id"], event["type"], event["call_id"] = id, kind, c.ID
	body, err := json.Marshal(event)
	if err == nil {
		err = os.WriteFile(c.file(), body, 0o600)
	}
	if err != nil {
		log.Print(err)
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("SECRET"), "whsec_")) // it has verified
	for wait := time.Second; wait < time.Hour; wait *= 2 {
		r, err := http.NewRequest(http.MethodPost, c.CallbackURL, bytes.NewReader(body))
		if err != nil {
			return
		}
		now := time.Now()
		r.Header.Set("webhook-id", id)
		r.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
		r.Header.Set("webhook-signature", signature.Sign(key, id, now, body))
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			if response.StatusCode < http.StatusInternalServerError {
				return // taken, or never will be
			}
		}
		<-time.After(wait)
	}
}
