-- Said more than once
-- Texts that come again word for word, when case, links and names do not count.
WITH plain AS (
    SELECT
        handle,
        created_at,
        text,
        trim(regexp_replace(lower(text), '(https?://\S+|@\w+|[^\p{L}\p{N}]+)', ' ', 'g')) AS said
    FROM tweets
    WHERE kind NOT IN ('retweet', 'manual_retweet')
)
SELECT
    handle,
    count(*) AS times,
    min(created_at)::DATE AS first,
    max(created_at)::DATE AS last,
    any_value(text) AS text
FROM plain
WHERE length(said) > 3
GROUP BY handle, said
HAVING count(*) > 1
ORDER BY times DESC, handle, said
LIMIT 200;
