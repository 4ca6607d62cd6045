-- +goose Up

-- What a replay picks, how many deliveries it started, and why a task failed.
ALTER TABLE task ADD COLUMN replay TEXT;
ALTER TABLE task ADD COLUMN started BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN reason TEXT;

-- Svix's older SDKs send a version of an endpoint, and expect it back.
ALTER TABLE endpoint ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- An event type may be behind any of several flags.
ALTER TABLE event_type ADD COLUMN feature_flags TEXT;
UPDATE event_type SET feature_flags = '["' || feature_flag || '"]' WHERE feature_flag <> '';
ALTER TABLE event_type DROP COLUMN feature_flag;

-- The reserved account, whose endpoints are told what becomes of those of others.
INSERT INTO account (id, name, timezone, throttle_rate, metadata, created_at, updated_at)
    VALUES ('app_000000000000000000000000000', 'Operational webhooks', 'UTC', 0, '{}', 0, 0);
