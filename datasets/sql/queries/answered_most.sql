-- Whom they answer most
-- The people in their replies, and from when to when.
SELECT
    handle,
    reply_to,
    count(*) AS replies,
    min(created_at)::DATE AS first,
    max(created_at)::DATE AS last
FROM tweets
WHERE kind = 'reply' AND reply_to IS NOT NULL
GROUP BY handle, reply_to
ORDER BY replies DESC, reply_to
LIMIT 100;
