-- What a tweet answers and quotes, and what its media show; NULL where the source does not say.
-- Importing an archive again fills them in for tweets that are here already.

ALTER TABLE tweets ADD COLUMN reply_to_id VARCHAR;      -- tweet_id of the tweet answered
ALTER TABLE tweets ADD COLUMN quoted_id VARCHAR;        -- tweet_id of the tweet quoted
ALTER TABLE tweets ADD COLUMN conversation_id VARCHAR;  -- tweet_id of the conversation's first tweet
ALTER TABLE tweets ADD COLUMN alt_text VARCHAR;         -- descriptions of its media, one a line
