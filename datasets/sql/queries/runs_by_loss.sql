-- Runs, best held-out loss first
SELECT run, handles, base, state, step, train_loss, valid_loss, started
FROM runs
ORDER BY valid_loss NULLS LAST, started DESC;
