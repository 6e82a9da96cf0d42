-- Runs, best loss first
-- Every fine-tune with its held-out loss (lower is better) and what it began from.
SELECT
    run,
    round(valid_loss, 3) AS held_out,
    round(valid_loss_before, 3) AS before,
    handles,
    base,
    preset,
    state,
    step,
    started
FROM runs
ORDER BY valid_loss NULLS LAST, started DESC;
