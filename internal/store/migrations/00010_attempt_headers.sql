-- +goose Up

-- The headers of the answer, a JSON object; NULL where there was none or nothing is kept.
ALTER TABLE attempt ADD COLUMN headers TEXT;
