"""From a plan to the shards' rows, each row once. Read in this order:

assign    which shard and engine answers which chunks (pure)
statement the SQL text of one batch of chunks (pure)
postgres  one statement asked of a shard's PostgreSQL
shards    the czar's ways to its shards: lanes, scan clients, who is suspect
dispatch  the loop: ask, retry elsewhere, stop at the first error
"""
