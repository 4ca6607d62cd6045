// A voice engine by docs/voice-engine.md. It calls nobody: what does belongs into talk.
// Each call is a file, so that a restart forgets none, and none is placed twice.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aftercall/aftercall/signature"
)

func main() {
	http.HandleFunc("POST /calls", start)
	http.HandleFunc("/calls/{id}", ask)
	log.Fatal(http.ListenAndServe(os.Getenv("ADDRESS"), nil))
}

func start(w http.ResponseWriter, r *http.Request) {
	var c call
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || json.Unmarshal(body, &c) != nil || !signed(r, c.ID, body) {
		http.Error(w, `{"error": "signature"}`, http.StatusUnauthorized)
	} else if time.Now().After(c.NotAfter) {
		http.Error(w, `{"error": "too_late"}`, http.StatusServiceUnavailable)
	} else if err := c.create(); os.IsExist(err) {
		http.Error(w, `{"ref": "`+c.ID+`"}`, http.StatusConflict)
	} else if err != nil {
		http.Error(w, `{"error": "disk"}`, http.StatusServiceUnavailable) // nothing was placed
	} else {
		go c.talk()
		http.Error(w, `{"ref": "`+c.ID+`"}`, http.StatusAccepted)
	}
}

func ask(w http.ResponseWriter, r *http.Request) {
	c := call{ID: filepath.Base(r.PathValue("id"))}
	if state, err := os.ReadFile(c.file()); !signed(r, strings.ToLower(r.Method)+"_"+c.ID, nil) {
		http.Error(w, `{"error": "signature"}`, http.StatusUnauthorized)
	} else if err != nil {
		http.Error(w, `{"error": "unknown_call"}`, http.StatusNotFound)
	} else { // DELETE would hang up here
		http.Error(w, string(state), http.StatusOK)
	}
}

// signed reports whether a request is signed, and for what it asks.
func signed(r *http.Request, id string, body []byte) bool {
	verifier, err := signature.NewVerifier(os.Getenv("SECRET"))
	return err == nil && r.Header.Get("webhook-id") == id && verifier.Verify(r.Header, body, time.Now()) == nil
}
