-- Kept, and why not
-- What each recipe keeps, and for which reason it drops the rest.
SELECT handle, recipe, coalesce(reason, 'kept') AS verdict, count(*) AS tweets
FROM curated
GROUP BY ALL
ORDER BY handle, recipe, tweets DESC;
