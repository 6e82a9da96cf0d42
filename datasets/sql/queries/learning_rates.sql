-- Best learning rate
-- Lowest held-out loss for each base and rate. Only runs on the same accounts compare.
SELECT
    handles,
    base,
    lr,
    count(*) AS runs,
    round(min(valid_loss), 3) AS best,
    round(avg(valid_loss), 3) AS mean,
    arg_min(run, valid_loss) AS best_run
FROM runs
WHERE valid_loss IS NOT NULL
GROUP BY handles, base, lr
ORDER BY handles, base, best;
