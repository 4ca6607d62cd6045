-- +goose Up

-- Which key a session was opened with, so that it ends with the key. Empty for sessions
-- opened by a link.
ALTER TABLE session ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
