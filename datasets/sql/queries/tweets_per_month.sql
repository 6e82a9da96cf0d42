-- Tweets per month
-- How much and what kind, month by month; for years, write 'year' in the place of 'month'.
SELECT
    handle,
    date_trunc('month', created_at)::DATE AS month,
    count(*) AS tweets,
    count(*) FILTER (kind = 'original') AS originals,
    count(*) FILTER (kind = 'reply') AS replies,
    count(*) FILTER (kind IN ('retweet', 'manual_retweet')) AS retweets
FROM tweets
WHERE created_at IS NOT NULL
GROUP BY handle, month
ORDER BY handle, month;
