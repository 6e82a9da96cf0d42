-- Runs that ended early
-- Which runs did not finish, and how far they came.
SELECT run, state, step, steps, round(valid_loss, 3) AS held_out, device, ended
FROM runs
WHERE state NOT IN ('finished', 'running', 'starting')
ORDER BY started DESC;
