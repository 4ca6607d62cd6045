-- Indexes that leave less choice. While PostgreSQL knows nothing of a table's contents,
-- it takes an account to have one row, and any index that begins with the account to
-- be as good as the right one: a plan made then reads a whole account.

-- +goose Up

DROP INDEX contact_external;
DROP INDEX contact_phone;
DROP INDEX contact_reported;
DROP INDEX call_external;
DROP INDEX call_contact;
CREATE UNIQUE INDEX contact_external ON contact (external_id, account_id) WHERE external_id IS NOT NULL;
CREATE INDEX contact_phone ON contact (phone_number, account_id);
-- Two first calls with an unknown number at once must not make two contacts.
CREATE UNIQUE INDEX contact_reported ON contact (phone_number, account_id) WHERE reported;
CREATE UNIQUE INDEX call_external ON call (external_id, account_id) WHERE external_id IS NOT NULL;
CREATE INDEX call_contact ON call (contact_id, account_id, triggered_at, id);

-- The endpoint before the message: an endpoint's list then is a range of the key,
-- and a message has few endpoints to look up.
CREATE TABLE delivery_by_endpoint (
    account_id    TEXT COLLATE "C" NOT NULL,
    endpoint_id   TEXT COLLATE "C" NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL,
    state         SMALLINT NOT NULL CHECK (state IN (0, 1, 2)),
    attempts      BIGINT NOT NULL,
    step          BIGINT NOT NULL,
    manual        SMALLINT NOT NULL,
    due_at        BIGINT NOT NULL,
    reason        TEXT,
    detour_state  SMALLINT,
    detour_reason TEXT,
    detour_due_at BIGINT,
    PRIMARY KEY (account_id, endpoint_id, message_id)
);
INSERT INTO delivery_by_endpoint (account_id, endpoint_id, message_id, state, attempts, step, manual, due_at, reason,
        detour_state, detour_reason, detour_due_at)
    SELECT account_id, endpoint_id, message_id, state, attempts, step, manual, due_at, reason,
        detour_state, detour_reason, detour_due_at FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_by_endpoint RENAME TO delivery;
CREATE INDEX delivery_due ON delivery (account_id, endpoint_id, due_at) WHERE state = 0;
CREATE INDEX delivery_failed ON delivery (account_id, endpoint_id, message_id) WHERE state = 2;
