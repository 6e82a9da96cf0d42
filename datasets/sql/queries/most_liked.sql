-- Most liked tweets
-- What of their own went well. Add  AND handle = 'somebody'  to see one account.
SELECT handle, favourites, reposts, created_at::DATE AS day, text
FROM tweets
WHERE kind NOT IN ('retweet', 'manual_retweet') AND favourites IS NOT NULL
ORDER BY favourites DESC, tweet_id
LIMIT 100;
