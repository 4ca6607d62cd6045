# make test is the check that a change has to pass; the other targets are its parts.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test

GO ?= go
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: test deps lint build fmt bench

# CI=true makes a missing database a failure; without it such tests are skipped.
test: deps lint
	CI=true $(GO) test -race -timeout 12m ./...

# deps installs what the tests need and the machine lacks: a C compiler for the
# race detector, and PostgreSQL's own programs, which the tests start themselves.
deps:
	@missing=(); \
	command -v $${CC:-cc} >/dev/null || missing+=(gcc libc6-dev); \
	if [[ -z "$${AFTERCALL_TEST_POSTGRES:-}" ]] && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
		&& ! command -v initdb >/dev/null; then missing+=(postgresql); fi; \
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
	$(GO) vet ./...
	$(LINT) run ./...

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/aftercall ./cmd/aftercall

fmt:
	gofmt -w .

# bench makes the figures of docs/benchmarks.md. AFTERCALL_POSTGRES names a server
# to measure, too.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./cmd/aftercall bench deliver
