-- Tweets that the person leaves out of training, whatever the recipe: the reason "excluded".

CREATE TABLE excluded_tweets (
    handle      VARCHAR NOT NULL,
    tweet_id    VARCHAR NOT NULL,
    excluded_at TIMESTAMPTZ NOT NULL
);
