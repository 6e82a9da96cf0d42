-- Where their links lead
-- The sites they link to most; the archive's own records of what t.co stands for.
SELECT
    handle,
    regexp_extract(link.expanded_url, '^https?://(?:www\.)?([^/?#]+)', 1) AS site,
    count(*) AS links
FROM (
    SELECT handle, unnest(from_json(urls, '[{"expanded_url": "VARCHAR"}]')) AS link
    FROM tweets
    WHERE urls IS NOT NULL
)
WHERE site <> ''
GROUP BY handle, site
ORDER BY links DESC, site
LIMIT 100;
