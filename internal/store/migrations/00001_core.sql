-- Written for PostgreSQL; sqlite.go says what is rewritten for SQLite.
--
-- Every primary key begins with the account, so that accounts can be spread over
-- machines. Times are microseconds since 1970. Ids sort by time, hence COLLATE "C":
-- their order must be that of their bytes, on every database and in Go.

-- +goose Up

CREATE TABLE account (
    id            TEXT COLLATE "C" PRIMARY KEY,
    uid           TEXT COLLATE "C",
    name          TEXT NOT NULL,
    timezone      TEXT NOT NULL,
    throttle_rate BIGINT NOT NULL,
    metadata      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_uid ON account (uid) WHERE uid IS NOT NULL;

-- A key is looked up before the account is known: its hash is the one value that
-- crosses accounts.
CREATE TABLE api_key (
    account_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    name         TEXT NOT NULL,
    hash         BYTEA NOT NULL,
    hint         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at   BIGINT,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX api_key_hash ON api_key (hash);

-- One-time links that open the portal.
CREATE TABLE login (
    account_id TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE setting (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE contact (
    account_id        TEXT COLLATE "C" NOT NULL,
    id                TEXT COLLATE "C" NOT NULL,
    external_id       TEXT COLLATE "C",
    external_url      TEXT NOT NULL,
    first_name        TEXT NOT NULL,
    last_name         TEXT NOT NULL,
    phone_number      TEXT COLLATE "C" NOT NULL,
    email             TEXT NOT NULL,
    salutation        TEXT NOT NULL,
    gender            TEXT NOT NULL,
    timezone          TEXT NOT NULL,
    details           TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('new', 'pending', 'reached', 'closed')),
    status_updated_at BIGINT NOT NULL,
    call_attempts     BIGINT NOT NULL,
    in_call_since     BIGINT,
    reached_at        BIGINT,
    next_call_at      BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    reported          BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX contact_external ON contact (account_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX contact_phone ON contact (account_id, phone_number);
-- Two first calls with an unknown number at once must not make two contacts.
CREATE UNIQUE INDEX contact_reported ON contact (account_id, phone_number) WHERE reported;

CREATE TABLE call (
    account_id      TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    external_id     TEXT COLLATE "C",
    contact_id      TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    run_id          TEXT COLLATE "C",
    attempt         BIGINT NOT NULL,
    direction       TEXT NOT NULL CHECK (direction IN ('outbound', 'inbound')),
    from_number     TEXT NOT NULL,
    to_number       TEXT NOT NULL,
    triggered_at    BIGINT NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    status          TEXT NOT NULL CHECK (status IN ('COMPLETED', 'ANSWERED', 'NOT_REACHED', 'VOICEMAIL', 'ERROR')),
    end_reason      TEXT NOT NULL,
    transcript      TEXT NOT NULL,
    turns           TEXT NOT NULL,
    recording_url   TEXT NOT NULL,
    booked_slot_for BIGINT,
    follow_up_at    BIGINT,
    analysis        TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX call_external ON call (account_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX call_triggered ON call (account_id, triggered_at, id);
CREATE INDEX call_contact ON call (account_id, contact_id, triggered_at, id);

-- The catalogue of event types belongs to the whole installation, as in Svix.
CREATE TABLE event_type (
    name         TEXT COLLATE "C" PRIMARY KEY,
    description  TEXT NOT NULL,
    schemas      TEXT,
    group_name   TEXT NOT NULL,
    feature_flag TEXT NOT NULL,
    archived     BOOLEAN NOT NULL,
    deprecated   BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE TABLE endpoint (
    account_id       TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    uid              TEXT COLLATE "C",
    url              TEXT NOT NULL,
    description      TEXT NOT NULL,
    event_types      TEXT NOT NULL,
    channels         TEXT NOT NULL,
    throttle_rate    BIGINT NOT NULL,
    metadata         TEXT NOT NULL,
    headers          TEXT NOT NULL,
    schedule         TEXT,
    disabled         BOOLEAN NOT NULL,
    reason           TEXT NOT NULL,
    first_failure_at BIGINT,
    failing_since    BIGINT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    deleted_at       BIGINT,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX endpoint_uid ON endpoint (account_id, uid) WHERE uid IS NOT NULL;

CREATE TABLE secret (
    account_id  TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    key         BYTEA NOT NULL,
    expires_at  BIGINT,
    PRIMARY KEY (account_id, endpoint_id, created_at)
);

-- Append-only: nothing but erasure changes a message.
CREATE TABLE message (
    account_id TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    event_id   TEXT COLLATE "C",
    channels   TEXT,
    contact_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    payload    BYTEA,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX message_contact ON message (account_id, contact_id) WHERE contact_id IS NOT NULL;

-- The caller's own id of a message. A table of its own keeps message free of a
-- unique index, so that it can be partitioned by the time inside its ids.
CREATE TABLE message_event (
    account_id TEXT COLLATE "C" NOT NULL,
    event_id   TEXT COLLATE "C" NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, event_id)
);

-- Narrow, since it is the row that changes. state: 0 pending, 1 succeeded, 2 failed.
CREATE TABLE delivery (
    account_id    TEXT COLLATE "C" NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL,
    endpoint_id   TEXT COLLATE "C" NOT NULL,
    state         SMALLINT NOT NULL CHECK (state IN (0, 1, 2)),
    attempts      BIGINT NOT NULL,
    step          BIGINT NOT NULL,
    manual        SMALLINT NOT NULL,
    due_at        BIGINT NOT NULL,
    reason        TEXT,
    detour_state  SMALLINT,
    detour_reason TEXT,
    detour_due_at BIGINT,
    PRIMARY KEY (account_id, message_id, endpoint_id)
);
-- Serves claims of one endpoint: whatever the backlog of another, it is not read.
CREATE INDEX delivery_due ON delivery (account_id, endpoint_id, due_at) WHERE state = 0;
-- Serves recover.
CREATE INDEX delivery_failed ON delivery (account_id, endpoint_id, message_id) WHERE state = 2;

CREATE TABLE attempt (
    account_id    TEXT COLLATE "C" NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    endpoint_id   TEXT COLLATE "C" NOT NULL,
    url           TEXT NOT NULL,
    manual        SMALLINT NOT NULL,
    succeeded     BOOLEAN NOT NULL,
    status_code   BIGINT NOT NULL,
    response      TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    duration      BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id, id)
);
CREATE INDEX attempt_endpoint ON attempt (account_id, endpoint_id, id);

-- Work over many rows that goes on after a restart.
CREATE TABLE task (
    account_id  TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed')),
    endpoint_id TEXT COLLATE "C" NOT NULL,
    since       BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    cursor      TEXT COLLATE "C" NOT NULL,
    total       BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX task_running ON task (account_id, id) WHERE status = 'running';
