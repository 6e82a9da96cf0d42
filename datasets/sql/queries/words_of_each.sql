-- Words of theirs alone
-- Words that one account uses far more often than the others do; at least 10 times.
WITH spoken AS (
    SELECT handle, unnest(regexp_extract_all(lower(text), '\p{L}{3,}')) AS word
    FROM tweets
    WHERE kind NOT IN ('retweet', 'manual_retweet')
),
counted AS (
    SELECT
        handle,
        word,
        count(*) AS times,
        sum(count(*)) OVER (PARTITION BY handle) AS of_account,
        sum(count(*)) OVER (PARTITION BY word) AS by_all,
        sum(count(*)) OVER () AS of_all
    FROM spoken
    GROUP BY handle, word
)
SELECT handle, word, times, round((times / of_account) / (by_all / of_all), 1) AS times_as_often
FROM counted
WHERE times >= 10 AND word NOT IN ('https', 'http', 'amp')
QUALIFY row_number() OVER (PARTITION BY handle ORDER BY times_as_often DESC, times DESC, word) <= 30
ORDER BY handle, times_as_often DESC, times DESC, word;
