"""Telling people: one message a cause, no storms, no secrets.

`causes` reads what stands (from the published file, its receipt and the history), `messages`
decides what a channel has to hear of it, `state` remembers what it was told, `delivery` sends,
`courier` is the process that knows the addresses, and `tell` puts them together after a run. Does
not belong here: what is configured (`orchestration.lib.sources.config`), when it happens
(`orchestration.lib.after_run`, `orchestration.defs`, `orchestration.cli`).
"""
