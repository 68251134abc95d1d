"""Who asks, and what she may: callers, tokens, passwords, and quotas.

Read in this order: `caller`, `errors`, `credentials` (what a request brings), `guesses`, `passwords`,
`authority` (credentials to callers, by the books), `quotas`. What permissions come to stands in
`schema.rights`, what a caller's query sees of the catalogs in `qserv.pinned`.
"""
