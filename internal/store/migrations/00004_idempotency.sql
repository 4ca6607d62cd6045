-- +goose Up

-- What a caller's idempotency key has led to. The day stands before the key so that
-- old rows lie together. Of a request that made a message only the message's id is
-- kept, for its answer can be made again.
CREATE TABLE idempotency (
    account_id TEXT COLLATE "C" NOT NULL,
    day        BIGINT NOT NULL,
    key        BYTEA NOT NULL,
    request    BYTEA NOT NULL,
    message_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    status     BIGINT,
    body       BYTEA,
    PRIMARY KEY (account_id, day, key)
);
