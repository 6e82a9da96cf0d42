"""Reading tweets from files, archives and streams as canonical Polars batches."""
