-- How many of an import's tweets have no date: none in the file that could be read, none in the id.

ALTER TABLE imports ADD COLUMN undated BIGINT; -- NULL for imports of before
