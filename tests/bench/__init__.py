"""`make bench`: what Skyshard costs beside one PostgreSQL and one DuckDB with the same rows.

Read in this order: figures (what a figure is, its mark), rows, store (the cluster and its peers under
measurement), then loading, points, scans, output, planning; `__main__` runs them.
"""
