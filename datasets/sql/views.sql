-- The public views. Made again when a corpus is opened for writing and this file has changed.

CREATE OR REPLACE VIEW curated AS
SELECT tweet_id, handle, recipe, kept, reason, clean_text
FROM verdicts;

-- downloaded = retweets + short + every count in dropped + kept
CREATE OR REPLACE VIEW account_stats AS
WITH reasons AS (
    SELECT handle, recipe, reason, count(*) AS tweets
    FROM verdicts
    WHERE NOT kept AND reason NOT IN ('retweet', 'short')
    GROUP BY ALL
),
others AS (
    SELECT handle, recipe, map(list(reason ORDER BY reason), list(tweets ORDER BY reason)) AS dropped
    FROM reasons
    GROUP BY ALL
),
totals AS (
    SELECT
        handle,
        recipe,
        count(*) AS downloaded,
        count(*) FILTER (reason = 'retweet') AS retweets,
        count(*) FILTER (reason = 'short') AS short,
        count(*) FILTER (kept) AS kept,
        coalesce(sum(length(clean_text)) FILTER (kept), 0)::BIGINT AS kept_chars
    FROM verdicts
    GROUP BY ALL
)
SELECT
    totals.handle,
    totals.recipe,
    accounts.name,
    totals.downloaded,
    totals.retweets,
    totals.short,
    totals.kept,
    totals.kept_chars,
    coalesce(others.dropped, MAP {}::MAP(VARCHAR, BIGINT)) AS dropped
FROM totals
LEFT JOIN accounts USING (handle)
LEFT JOIN others USING (handle, recipe);
