-- What imports brought
-- Every import: how many tweets were new, and how many were known or left out.
SELECT imported_at, handle, file, format, read, new, updated, duplicates,
       read - new - updated - duplicates AS left_out
FROM imports
ORDER BY imported_at DESC, handle;
