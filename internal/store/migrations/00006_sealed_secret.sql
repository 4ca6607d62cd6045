-- +goose Up

-- A secret of each kind may be current, and is sealed with the master key that is
-- named; with an empty name it lies open.
CREATE TABLE sealed_secret (
    account_id  TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('hmac', 'ed25519')),
    created_at  BIGINT NOT NULL,
    key         BYTEA NOT NULL,
    master_key  TEXT NOT NULL,
    expires_at  BIGINT,
    PRIMARY KEY (account_id, endpoint_id, kind, created_at)
);
INSERT INTO sealed_secret (account_id, endpoint_id, kind, created_at, key, master_key, expires_at)
    SELECT account_id, endpoint_id, 'hmac', created_at, key, '', expires_at FROM secret;
DROP TABLE secret;
ALTER TABLE sealed_secret RENAME TO secret;
CREATE INDEX secret_master_key ON secret (master_key);

ALTER TABLE endpoint ADD COLUMN signature TEXT NOT NULL DEFAULT 'hmac' CHECK (signature IN ('hmac', 'ed25519', 'both'));

-- An answer may hold a token.
ALTER TABLE idempotency ADD COLUMN master_key TEXT;
