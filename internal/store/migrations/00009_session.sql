-- +goose Up

-- A person signed in at the portal: the operator, whose account is empty, or an
-- account's owner. Found by the hash of what the browser holds.
CREATE TABLE session (
    account_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    hash         BYTEA NOT NULL,
    agent        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_expires ON session (expires_at);

-- A link is followed before its account is known.
CREATE UNIQUE INDEX login_hash ON login (hash);
CREATE INDEX login_expires ON login (expires_at);

-- Where the portal may be shown inside another page.
ALTER TABLE portal_token ADD COLUMN origins TEXT;
