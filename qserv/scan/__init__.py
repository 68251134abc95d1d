"""The scan engine: DuckDB over a shard's Parquet twins, served by Arrow Flight."""
