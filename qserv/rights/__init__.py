"""Who asks, and what she may: callers, tokens, passwords, rights and quotas.

Read in this order: `caller`.
"""
