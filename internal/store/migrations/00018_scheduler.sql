-- +goose Up

-- Serves the erasure of a contact: of what was told of its calls and not taken yet. What
-- was taken keeps no words.
CREATE INDEX voice_event_call ON voice_event (call_id, account_id) WHERE progress IS NOT NULL;
