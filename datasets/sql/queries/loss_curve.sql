-- Held-out loss by step
-- How each run got better, newest run first; the gain is against the run's first measure.
SELECT
    metrics.run,
    metrics.step,
    round(metrics.valid_loss, 3) AS held_out,
    round(first_value(metrics.valid_loss) OVER one - metrics.valid_loss, 3) AS gain
FROM metrics JOIN runs USING (run)
WHERE metrics.kind = 'eval'
WINDOW one AS (PARTITION BY metrics.run ORDER BY metrics.step)
ORDER BY runs.started DESC, metrics.step;
