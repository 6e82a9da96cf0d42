-- What it said by step
-- Generated text while a run learned, with the loss that it had by then.
SELECT
    samples.run,
    samples.step,
    round(
        (
            SELECT arg_max(metrics.loss, metrics.step)
            FROM metrics
            WHERE metrics.run = samples.run AND metrics.kind = 'train'
              AND metrics.step <= samples.step
        ),
        3
    ) AS train_loss,
    samples.text AS generated
FROM samples
WHERE samples.step IS NOT NULL
ORDER BY samples.run DESC, samples.step;
