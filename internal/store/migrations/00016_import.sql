-- +goose Up

-- Contacts that come from a file. The counts are of rows.
CREATE TABLE import (
    account_id      TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('draft', 'running', 'finished', 'failed')),
    reason          TEXT,
    mapping         TEXT NOT NULL,
    default_country TEXT NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    separator       TEXT NOT NULL,
    total           BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    skipped         BIGINT NOT NULL,
    failed          BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX import_running ON import (account_id, id) WHERE status = 'running';
CREATE INDEX import_updated ON import (updated_at);

-- The file, in UTF-8, cut between its rows; part 0 is the names of its columns. A part
-- goes in the transaction that applies its rows, and the file with the import's end.
CREATE TABLE import_file (
    account_id TEXT COLLATE "C" NOT NULL,
    import_id  TEXT COLLATE "C" NOT NULL,
    part       BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    content    BYTEA NOT NULL,
    PRIMARY KEY (account_id, import_id, part)
);

-- What is wrong with rows, without what stands in them.
CREATE TABLE import_error (
    account_id TEXT COLLATE "C" NOT NULL,
    import_id  TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    field      TEXT NOT NULL,
    message    TEXT NOT NULL,
    PRIMARY KEY (account_id, import_id, number)
);
