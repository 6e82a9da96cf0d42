-- Examples of dropped
-- Five tweets for each reason of the standard recipe; write 'classic' to see the other one.
SELECT curated.reason, curated.handle, tweets.text
FROM curated JOIN tweets USING (handle, tweet_id)
WHERE curated.recipe = 'standard' AND NOT curated.kept
QUALIFY row_number() OVER (PARTITION BY curated.reason ORDER BY tweets.handle, tweets.tweet_id) <= 5
ORDER BY curated.reason, curated.handle;
