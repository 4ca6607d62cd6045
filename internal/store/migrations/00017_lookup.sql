-- +goose Up

-- Where an account is asked who is calling. Its secret stands in the table of secrets.
CREATE TABLE contact_lookup (
    account_id TEXT COLLATE "C" NOT NULL,
    enabled    BOOLEAN NOT NULL,
    url        TEXT NOT NULL,
    timeout    BIGINT NOT NULL,
    headers    TEXT NOT NULL,
    query      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id)
);
