-- What a run learned
-- Tweets that each run learned from (train) or was measured with (valid), as it read them.
SELECT run, split, count(*) AS tweets, round(avg(length(text))) AS characters,
       min(created_at) AS first, max(created_at) AS last
FROM run_tweets
GROUP BY run, split
ORDER BY run DESC, split
LIMIT 200;
