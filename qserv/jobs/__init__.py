"""Asynchronous queries: jobs that live on the coordinator, run by whichever czar is there.

Read in this order: `settings`, `errors`, `results` (files), `progress`, `estimate` (what a job may
take), `changes` (who waits for what), `attempt` (one run of one job), `leases` (what a czar tells the
coordinator), `runner` (the czar's threads), `desk` (what owners ask and change).

Invariants: a job is in one phase, on the coordinator; an attempt's result counts only while the row
names that attempt; a result's file is whole or has no name that anybody reads.
"""
