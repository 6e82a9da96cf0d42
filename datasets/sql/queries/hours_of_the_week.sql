-- When they tweet: weekday and hour (UTC)
SELECT
    handle,
    dayname(created_at) AS weekday,
    hour(created_at) AS hour,
    count(*) AS tweets
FROM tweets
WHERE kind NOT IN ('retweet', 'manual_retweet') AND created_at IS NOT NULL
GROUP BY handle, isodow(created_at), weekday, hour
ORDER BY handle, isodow(created_at), hour;
