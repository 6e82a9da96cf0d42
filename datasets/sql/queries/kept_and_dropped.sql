-- What each recipe keeps, and why it drops the rest
SELECT handle, recipe, coalesce(reason, 'kept') AS verdict, count(*) AS tweets
FROM curated
GROUP BY ALL
ORDER BY handle, recipe, tweets DESC;
