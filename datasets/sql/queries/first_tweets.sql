-- First tweets of all
-- How each account began; write DESC behind created_at for the newest ones.
SELECT handle, created_at, kind, text
FROM tweets
WHERE created_at IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY handle ORDER BY created_at, tweet_id) <= 10
ORDER BY handle, created_at;
