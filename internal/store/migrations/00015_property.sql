-- +goose Up

-- The typed fields of an account's contacts. Their values are in contact.details.
CREATE TABLE property (
    account_id  TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    data_type   TEXT NOT NULL CHECK (data_type IN ('string', 'number', 'boolean', 'date', 'datetime', 'select', 'multi_select', 'phone_number', 'email')),
    label       TEXT NOT NULL,
    description TEXT NOT NULL,
    options     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, key)
);

-- The password of a number's trunk is sealed as a secret is.
CREATE TABLE phone_number (
    account_id      TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    number          TEXT COLLATE "C" NOT NULL,
    outbound        BOOLEAN NOT NULL,
    termination_uri TEXT NOT NULL,
    auth_username   TEXT NOT NULL,
    auth_password   BYTEA NOT NULL,
    master_key      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX phone_number_number ON phone_number (number, account_id);
CREATE INDEX phone_number_master_key ON phone_number (master_key);
