-- +goose Up

-- Opens the portal and its part of the API for one account, until it expires. Like a
-- key it is found by its hash before the account is known.
CREATE TABLE portal_token (
    account_id    TEXT COLLATE "C" NOT NULL,
    hash          BYTEA NOT NULL,
    session_id    TEXT NOT NULL,
    capabilities  TEXT NOT NULL,
    feature_flags TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, hash)
);
CREATE UNIQUE INDEX portal_token_hash ON portal_token (hash);
CREATE INDEX portal_token_expires ON portal_token (expires_at);
