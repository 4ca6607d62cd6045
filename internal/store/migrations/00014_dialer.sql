-- +goose Up

-- Its secret stands in the table of secrets, under its id.
CREATE TABLE agent (
    account_id     TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    title          TEXT NOT NULL,
    language       TEXT NOT NULL,
    is_default     BOOLEAN NOT NULL,
    engine         TEXT NOT NULL,
    dialing        TEXT NOT NULL,
    from_numbers   TEXT NOT NULL,
    outcome_fields TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX agent_default ON agent (account_id) WHERE is_default;

CREATE TABLE run (
    account_id     TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    contact_id     TEXT COLLATE "C" NOT NULL,
    agent_id       TEXT COLLATE "C" NOT NULL,
    end_reason     TEXT NOT NULL,
    attempts       BIGINT NOT NULL,
    charged        BIGINT NOT NULL,
    day_attempts   BIGINT NOT NULL,
    errors         BIGINT NOT NULL,
    unplaced       BIGINT NOT NULL,
    first_at       BIGINT,
    last_at        BIGINT,
    error_at       BIGINT,
    max_retry_days BIGINT,
    from_number    TEXT NOT NULL,
    due_at         BIGINT,
    asked          BOOLEAN NOT NULL,
    call_id        TEXT COLLATE "C",
    created_at     BIGINT NOT NULL,
    ended_at       BIGINT,
    PRIMARY KEY (account_id, id)
);
-- A contact has one open run at most.
CREATE UNIQUE INDEX run_open ON run (account_id, contact_id) WHERE end_reason = '';
-- Serves the planner: what is not due, of any agent, is not read.
CREATE INDEX run_due ON run (account_id, agent_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX run_contact ON run (account_id, contact_id, id);

-- Calls from the decision to make them until their end was taken. state: 0 decided,
-- 1 the voice engine has it, 2 over.
CREATE TABLE live_call (
    account_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    run_id       TEXT COLLATE "C",
    contact_id   TEXT COLLATE "C" NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL,
    line         TEXT COLLATE "C" NOT NULL,
    ref          TEXT NOT NULL,
    direction    TEXT NOT NULL CHECK (direction IN ('outbound', 'inbound')),
    attempt      BIGINT NOT NULL,
    from_number  TEXT NOT NULL,
    to_number    TEXT NOT NULL,
    state        SMALLINT NOT NULL CHECK (state IN (0, 1, 2)),
    lookups      BIGINT NOT NULL,
    triggered_at BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    progress     TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX live_call_line ON live_call (account_id, line, from_number);
CREATE INDEX live_call_due ON live_call (due_at);
CREATE INDEX live_call_contact ON live_call (account_id, contact_id);

-- What voice engines told, stored before it is answered. The body goes once it is
-- taken; the id stays for a while, so that the same is not taken twice.
CREATE TABLE voice_event (
    account_id  TEXT COLLATE "C" NOT NULL,
    agent_id    TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    call_id     TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    progress    TEXT,
    PRIMARY KEY (account_id, agent_id, id)
);
CREATE INDEX voice_event_new ON voice_event (received_at) WHERE progress IS NOT NULL;
CREATE INDEX voice_event_old ON voice_event (received_at) WHERE progress IS NULL;

CREATE TABLE line (
    account_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    free         TEXT NOT NULL,
    closed_until BIGINT,
    reason       TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- Append-only: why each call was allowed, and which of them were never placed. kind: 0
-- allowed, 1 not placed after all. The number is hashed, so that the record outlives
-- the erasure of its contact.
CREATE TABLE dial_record (
    account_id  TEXT COLLATE "C" NOT NULL,
    number_hash TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    call_id     TEXT COLLATE "C" NOT NULL,
    kind        SMALLINT NOT NULL CHECK (kind IN (0, 1)),
    agent_id    TEXT COLLATE "C" NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (account_id, number_hash, at, call_id, kind)
);

-- Numbers that are never dialled. The number itself goes with the erasure of its
-- contact; the hash stays.
CREATE TABLE blocked_number (
    account_id  TEXT COLLATE "C" NOT NULL,
    number_hash TEXT COLLATE "C" NOT NULL,
    number      TEXT COLLATE "C" NOT NULL,
    reason      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, number_hash)
);

ALTER TABLE call ADD COLUMN do_not_call BOOLEAN NOT NULL DEFAULT FALSE;
