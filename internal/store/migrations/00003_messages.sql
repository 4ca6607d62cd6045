-- What Svix's API knows of a message beyond the core: tags, a delay, a body that is
-- no JSON, and its own retention.

-- +goose Up

ALTER TABLE message ADD COLUMN tags TEXT;
ALTER TABLE message ADD COLUMN raw BYTEA;
ALTER TABLE message ADD COLUMN raw_type TEXT;
ALTER TABLE message ADD COLUMN deliver_at BIGINT;
ALTER TABLE message ADD COLUMN expires_at BIGINT;
CREATE INDEX message_expires ON message (expires_at) WHERE expires_at IS NOT NULL;
