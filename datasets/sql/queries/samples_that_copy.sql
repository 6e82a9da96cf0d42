-- Samples that copy
-- Generated text that shares runs of three words with a real tweet, the closest first.
WITH spelled AS (
    SELECT 'sample' AS source, run, step, NULL AS tweet_id, text FROM samples
    UNION ALL
    SELECT 'tweet', NULL, NULL, tweet_id, text FROM tweets
),
split AS (
    SELECT *, regexp_extract_all(lower(text), '[\p{L}\p{N}'']+') AS words FROM spelled
),
threes AS (
    SELECT source, run, step, tweet_id, text,
           unnest([words[i : i + 2] FOR i IN range(1, len(words) - 1)]) AS three
    FROM split
),
shared AS (
    SELECT a.run, a.step, a.text, b.tweet_id, any_value(b.text) AS tweet,
           count(DISTINCT a.three) AS shared
    FROM threes AS a JOIN threes AS b ON a.three = b.three
    WHERE a.source = 'sample' AND b.source = 'tweet'
    GROUP BY a.run, a.step, a.text, b.tweet_id
)
SELECT run, step, shared AS shared_threes, text AS generated, tweet AS closest_tweet
FROM shared
QUALIFY row_number() OVER (PARTITION BY run, step, text ORDER BY shared DESC, tweet_id) = 1
ORDER BY shared DESC, run, step
LIMIT 200;
