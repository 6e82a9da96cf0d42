-- The corpus, version 1. Later versions: migrations/NNNN_name.sql, applied in order, each once.
-- These tables and the views in views.sql are what other tools may rely on.

CREATE TABLE schema_version (
    version    INTEGER NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE accounts (
    handle     VARCHAR NOT NULL,  -- lower case, no @
    name       VARCHAR,
    account_id VARCHAR,
    bio        VARCHAR,
    created_at TIMESTAMPTZ,       -- when the account was made
    updated_at TIMESTAMPTZ        -- when an import last said something about it
);

-- One row per handle and tweet_id, kept so by imports; no index, which would make them slow.
CREATE TABLE tweets (
    tweet_id          VARCHAR NOT NULL,  -- never a number: 2^63 does not fit a float
    handle            VARCHAR NOT NULL,
    created_at        TIMESTAMPTZ,
    text              VARCHAR NOT NULL,  -- exactly as the source gave it
    text_escaped      BOOLEAN NOT NULL,  -- whether & < > are written as HTML entities in it
    kind              VARCHAR NOT NULL,  -- original, reply, quote, retweet, manual_retweet
    lang              VARCHAR,
    reply_to          VARCHAR,
    urls              VARCHAR,           -- JSON: [{"url", "expanded_url"}]
    sensitive         BOOLEAN,
    favourites        BIGINT,
    reposts           BIGINT,
    note_id           VARCHAR,           -- of the long post that text was completed from
    audience          VARCHAR NOT NULL,  -- public, community, circle, deleted
    source            VARCHAR NOT NULL,  -- the format that gave the text
    source_file       VARCHAR NOT NULL,
    first_imported_at TIMESTAMPTZ NOT NULL,
    last_imported_at  TIMESTAMPTZ NOT NULL,  -- when an import last changed this row
    sources           VARCHAR[] NOT NULL     -- every format that ever gave this tweet
);

CREATE TABLE imports (
    imported_at  TIMESTAMPTZ NOT NULL,
    handle       VARCHAR NOT NULL,
    file         VARCHAR NOT NULL,  -- its name, without folders
    format       VARCHAR NOT NULL,
    read         BIGINT NOT NULL,   -- = new + updated + duplicates + everything skipped
    new          BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    duplicates   BIGINT NOT NULL,
    skipped      MAP(VARCHAR, BIGINT) NOT NULL,
    notes_joined BIGINT NOT NULL
);

-- What the recipes "standard" and "classic" say about each tweet; written after an import or a
-- fetch, read through the views.
CREATE TABLE verdicts (
    tweet_id    VARCHAR NOT NULL,
    handle      VARCHAR NOT NULL,
    recipe      VARCHAR NOT NULL,
    recipe_hash VARCHAR NOT NULL,
    kept        BOOLEAN NOT NULL,
    reason      VARCHAR,           -- why it is not kept; NULL when it is
    clean_text  VARCHAR NOT NULL
);
