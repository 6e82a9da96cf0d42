-- What the X API gave: which ids are covered (and need not be paid for again), and what it cost.

ALTER TABLE accounts ADD COLUMN picture_url VARCHAR;
ALTER TABLE accounts ADD COLUMN posts BIGINT;                -- how many the account has, says X
ALTER TABLE accounts ADD COLUMN looked_up_at TIMESTAMPTZ;    -- when the API last gave this account

-- One row for each page, written in the page's own transaction. Every post of the account whose id
-- lies between oldest_id and newest_id, both included, has been fetched.
CREATE TABLE fetched_ranges (
    handle        VARCHAR NOT NULL,
    account_id    VARCHAR NOT NULL,
    newest_id     VARCHAR NOT NULL,
    oldest_id     VARCHAR NOT NULL,
    reached_end   BOOLEAN NOT NULL,      -- the API gives nothing older than this
    limited       BOOLEAN NOT NULL,      -- the person's own limit ended the walk here
    posts         BIGINT NOT NULL,       -- posts on the page, each paid for
    account_posts BIGINT,                -- how many the account had, where newest_id is its newest
    cost_usd      DECIMAL(12, 6) NOT NULL,
    fetched_at    TIMESTAMPTZ NOT NULL
);
