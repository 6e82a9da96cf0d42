-- Where recipes disagree
-- Tweets that one recipe keeps and another drops, and why.
SELECT a.handle, a.recipe AS keeps, b.recipe AS drops, b.reason, tweets.text
FROM curated AS a
JOIN curated AS b ON a.handle = b.handle AND a.tweet_id = b.tweet_id AND a.kept AND NOT b.kept
JOIN tweets ON tweets.handle = a.handle AND tweets.tweet_id = a.tweet_id
ORDER BY drops, b.reason, a.handle, a.tweet_id
LIMIT 500;
