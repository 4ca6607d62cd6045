-- +goose Up

-- Serves the erasure of a contact: of what was told of its calls and not taken yet. What
-- was taken keeps no words.
CREATE INDEX voice_event_call ON voice_event (call_id, account_id) WHERE progress IS NOT NULL;

-- What enrols contacts by itself. enrolling: the contact that was looked at last by a pass
-- over those that are new; '' at its beginning, NULL when there is none.
CREATE TABLE call_scheduler (
    account_id       TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    title            TEXT NOT NULL,
    agent_id         TEXT COLLATE "C" NOT NULL,
    enabled          BOOLEAN NOT NULL,
    filter           TEXT NOT NULL,
    delay            BIGINT NOT NULL,
    enrolling        TEXT COLLATE "C",
    enrolled         BIGINT NOT NULL,
    enrol_started_at BIGINT,
    enrol_ended_at   BIGINT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX call_scheduler_enrolling ON call_scheduler (account_id, id) WHERE enrolling IS NOT NULL;
