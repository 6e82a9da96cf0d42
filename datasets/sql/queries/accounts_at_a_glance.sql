-- Accounts at a glance
-- One line for each account: how much, from when to when, how long, how often it answers.
SELECT
    handle,
    count(*) AS tweets,
    min(created_at)::DATE AS first,
    max(created_at)::DATE AS last,
    round(avg(length(text))) AS characters,
    round(100 * avg((kind = 'reply')::INTEGER)) AS percent_replies,
    round(100 * avg((kind IN ('retweet', 'manual_retweet'))::INTEGER)) AS percent_retweets
FROM tweets
GROUP BY handle
ORDER BY tweets DESC;
