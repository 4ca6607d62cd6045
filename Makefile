# make test is the check that a change has to pass; the other targets are its parts.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test

GO ?= go
TEMPL := $(GO) tool -modfile=tools/go.mod templ
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: test deps generate lint build fmt bench screenshots

# CI=true makes a missing database or browser a failure; without it such tests are skipped.
test: deps lint
	CI=true $(GO) test -race -timeout 12m ./...
	$(GO) test -run TestCampaigns ./internal/dialer # the whole of it, for which the race detector is too slow

# deps installs what the tests need and the machine lacks: a C compiler for the
# race detector, PostgreSQL's own programs, which the tests start themselves,
# Chromium, which looks at the portal, and Python, whose samples are run.
deps:
	@missing=(); \
	command -v $${CC:-cc} >/dev/null || missing+=(gcc libc6-dev); \
	if [[ -z "$${AFTERCALL_TEST_POSTGRES:-}" ]] && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
		&& ! command -v initdb >/dev/null; then missing+=(postgresql); fi; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| missing+=(chromium fonts-dejavu-core); \
	command -v python3 >/dev/null || missing+=(python3-minimal); \
	(( $${#missing[@]} )) || exit 0; \
	sudo=(); (( EUID == 0 )) || sudo=(sudo -n); \
	if ! command -v apt-get >/dev/null || ! "$${sudo[@]}" true 2>/dev/null; then \
		echo "The tests need: $${missing[*]}. Install them and try again" \
			"(or let AFTERCALL_TEST_POSTGRES name a PostgreSQL server)." >&2; exit 1; fi; \
	echo "Installing $${missing[*]}"; \
	"$${sudo[@]}" apt-get update -q; \
	"$${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$${missing[@]}"

lint:
	@unformatted=$$(gofmt -l .); [[ -z "$$unformatted" ]] || { echo "run make fmt for:" $$unformatted >&2; exit 1; }
	@before=$$(cat internal/portal/*_templ.go | cksum); $(TEMPL) generate -path internal/portal >/dev/null 2>&1; \
		[[ "$$before" == "$$(cat internal/portal/*_templ.go | cksum)" ]] || { echo "the templates' Go was stale: commit what make generate wrote" >&2; exit 1; }
	$(GO) vet ./...
	$(LINT) run ./...

generate:
	$(TEMPL) generate -path internal/portal

# screenshots takes the pictures of docs/portal.
screenshots:
	AFTERCALL_SCREENSHOTS=$(CURDIR)/docs/portal $(GO) test -count=1 -run TestPages ./internal/portal

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/aftercall ./cmd/aftercall

fmt:
	gofmt -w .

# bench makes the figures of docs/benchmarks.md. AFTERCALL_POSTGRES names a server
# to measure, too.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./cmd/aftercall bench deliver
