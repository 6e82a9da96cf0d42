-- Longest silences
-- The gaps between one tweet and the next.
SELECT
    handle,
    date_diff('day', created_at, next) AS days,
    created_at::DATE AS fell_silent,
    next::DATE AS came_back,
    text AS last_words
FROM (
    SELECT *, lead(created_at) OVER (PARTITION BY handle ORDER BY created_at) AS next
    FROM tweets
    WHERE created_at IS NOT NULL
)
WHERE next IS NOT NULL
ORDER BY next - created_at DESC
LIMIT 50;
