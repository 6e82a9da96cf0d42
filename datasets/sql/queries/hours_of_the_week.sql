-- Hours of the week
-- When they tweet, in UTC; for another zone, add hours: created_at + INTERVAL 2 HOUR.
SELECT
    handle,
    dayname(created_at) AS weekday,
    hour(created_at) AS hour,
    count(*) AS tweets
FROM tweets
WHERE kind NOT IN ('retweet', 'manual_retweet') AND created_at IS NOT NULL
GROUP BY handle, isodow(created_at), weekday, hour
ORDER BY handle, isodow(created_at), hour;
