"""The HTTP face: TAP 1.1 sync and async, VOSI, health and metrics.

Read in this order: `service` (what it asks of the store), `caller` (who sends a request), `login`,
`queries` (the log of queries), `places` (whose turn it is), `parameters`, `failures`,
`uws`, `job_results`, `jobs` (asynchronous queries), `handover` (from sync to async),
`query_response` (a query's life on the wire), `vosi`, `pages`, `metrics`, `app` (the routes),
`serve`. The endpoints do no querying of their own: `answer` does, in a thread; only waiting is
asynchronous here.
"""
