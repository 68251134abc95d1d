"""A simulated survey of the southern sky in the tables of `dp1`: same seed, same bytes.

Read in this order: `sky` (coordinates, footprint, tracts), `photometry`, `population` (what is there),
`variability`, `cadence` (visits), `observing` (who is seen when, and where on the camera), the
tables (`object_tables`, `visit_tables`, `epoch_tables`, `dia_tables`), and `survey`, the path. It is a
toy of physics, but a fair one of statistics: densities, colours, noise and gaps are like a survey's.
"""
