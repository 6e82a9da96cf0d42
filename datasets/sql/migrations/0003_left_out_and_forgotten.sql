-- Where an import left something out, and which tweets must not come back.

-- Of each import the first thousand broken places and the first thousand others; imports.imported_at says which import. Never a word of
-- what stands there.
CREATE TABLE import_skips (
    imported_at TIMESTAMPTZ NOT NULL,
    handle      VARCHAR NOT NULL,  -- the first account of the file
    part        VARCHAR NOT NULL,  -- the file inside an archive; empty where there are none
    line        BIGINT NOT NULL,   -- from 1; 0 where there are no lines
    reason      VARCHAR NOT NULL,  -- as in imports.skipped
    detail      VARCHAR NOT NULL
);

-- Tweets that were forgotten one by one: only their numbers. Imports and fetches pass them over.
CREATE TABLE forgotten_tweets (
    handle       VARCHAR NOT NULL,
    tweet_id     VARCHAR NOT NULL,
    forgotten_at TIMESTAMPTZ NOT NULL
);
