-- +goose Up

-- What a customer's integrator holds a key to one application for. Its key is made when
-- it is first rotated.
CREATE TABLE integration (
    account_id    TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    name          TEXT NOT NULL,
    feature_flags TEXT,
    hash          BYTEA,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX integration_hash ON integration (hash) WHERE hash IS NOT NULL;
