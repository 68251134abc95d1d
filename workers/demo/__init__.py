"""`skyshard demo`: a simulated sky on a fresh cluster, and a tour of it.

Read in this order: `command` (the options), `run` (the path), `stops` (the tour's queries), `tour`
(asking them as a TAP client does), `sky_map` (the density map).
"""
