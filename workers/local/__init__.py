"""The embedded cluster: PostgreSQL servers, scan engines and the czar on one machine."""
