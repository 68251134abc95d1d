"""An answer's rows as bytes: VOTable, CSV, TSV, JSON, Parquet, Arrow, FITS, and a terminal's table.

Read in this order: `registry` (names and MIME types), `slices` (rows in bounded bites), `cells`
(columns as text), then the writers. Every writer takes an `Answer` and yields chunks of bytes; it
holds no more than a slice of rows, so memory does not grow with the result.
"""
