-- +goose Up

-- What people list calls and contacts by.
CREATE INDEX call_status ON call (account_id, status, triggered_at, id);
CREATE INDEX call_agent ON call (account_id, agent_id, triggered_at, id);
CREATE INDEX contact_status ON contact (account_id, status, id);
