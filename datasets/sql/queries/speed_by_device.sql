-- Speed by device
-- Tokens a second while learning, by base and method; loading does not count.
SELECT
    device,
    base,
    method,
    count(*) AS runs,
    round(max(tokens_per_second)) AS fastest,
    round(median(tokens_per_second)) AS usual,
    sum(tokens) AS tokens
FROM runs
WHERE tokens_per_second IS NOT NULL
GROUP BY device, base, method
ORDER BY fastest DESC;
