package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are the words that scripts have besides testscript's own.
//
//	port NAME              sets NAME to a free address of this machine
//	ready URL              waits until it answers 2xx
//	http METHOD URL [FILE] sends a request with $KEY; the answer goes to stdout. Fails for 4xx and 5xx
//	load FILE              makes a file the last answer
//	json PATH [NAME]       reads a value of the last answer, "data.0.id", to stdout and into NAME
//	receiver NAME          starts a receiver; sets NAME to its URL
//	secret NAME SECRET     what the receiver verifies with, by Svix's library and Standard Webhooks'
//	answer NAME STATUS N   has the receiver answer the next N webhooks with a status
//	received NAME N        waits until N messages were accepted, and shows "event type" of each
//	tried NAME N           waits until N attempts were made, whatever the answer
//	quiet NAME N           fails if more than N attempts were made
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"port": portCommand, "ready": readyCommand, "http": httpCommand, "load": loadCommand, "json": jsonCommand, "shows": showsCommand,
		"receiver": receiverCommand, "secret": secretCommand, "answer": answerCommand,
		"received": receivedCommand, "tried": triedCommand, "quiet": quietCommand,
	}
}

// scriptPatience is how long a script waits for what has to happen.
const scriptPatience = 30 * time.Second

// poll calls done until it reports true or patience ends.
func poll(ts *testscript.TestScript, what string, done func() bool) {
	deadline := time.Now().Add(scriptPatience)
	for !done() {
		if time.Now().After(deadline) {
			ts.Fatalf("waited %v for %s", scriptPatience, what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func portCommand(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], l.Addr().String())
}

func readyCommand(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, args[0], func() bool {
		response, err := http.Get(args[0])
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode < 300
	})
}

func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	var body io.Reader
	if len(args) > 2 {
		text := ts.ReadFile(args[2])
		body = strings.NewReader(os.Expand(text, ts.Getenv))
	}
	request, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+ts.Getenv("KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s", answer)
	fmt.Fprintf(ts.Stderr(), "%d", response.StatusCode)
	ts.Setenv("ANSWER", string(answer))
	if failed := response.StatusCode >= 400; failed != neg {
		ts.Fatalf("%s %s: %d %s", args[0], args[1], response.StatusCode, answer)
	}
}

func loadCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("ANSWER", ts.ReadFile(args[0]))
}

// showsCommand waits until an answer has a value: "shows URL path value".
func showsCommand(ts *testscript.TestScript, neg bool, args []string) {
	poll(ts, args[0]+" to show "+args[1]+" "+args[2], func() bool {
		httpCommand(ts, neg, []string{http.MethodGet, args[0]})
		text, ok := valueAt(ts, args[1])
		return ok && text == args[2]
	})
}

// valueAt reads "data.0.name" of the last answer.
func valueAt(ts *testscript.TestScript, path string) (text string, ok bool) {
	var value any
	decoder := json.NewDecoder(strings.NewReader(ts.Getenv("ANSWER")))
	decoder.UseNumber()
	ts.Check(decoder.Decode(&value))
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			ts.Check(err)
			if i >= len(v) {
				return "", false
			}
			value = v[i]
		default:
			return "", false
		}
	}
	return fmt.Sprint(value), true
}

func jsonCommand(ts *testscript.TestScript, _ bool, args []string) {
	text, ok := valueAt(ts, args[0])
	if !ok {
		ts.Fatalf("no %s in %s", args[0], ts.Getenv("ANSWER"))
	}
	if _, err := fmt.Fprintln(ts.Stdout(), text); err != nil {
		ts.Check(err)
	}
	if len(args) > 1 {
		ts.Setenv(args[1], text)
	}
}

// pretty is the body of a webhook for the output of a failing script.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}
