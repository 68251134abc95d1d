"""A user's own tables beside a query (TAP 1.1, section 2.7): read from files, joined as TAP_UPLOAD.

Read in this order: `tables` (what they are to a query), `read` (files to Arrow), `describe` (what the
columns mean).
"""
