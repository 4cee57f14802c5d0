"""The scorecard: one publication as one page that people read, made from its file alone.

`queries` reads the published file, `figures` writes numbers as people do, `verdict` says in one
sentence how things stand, `charts` and `flow` draw, `page` puts the page together, `shown` keeps the
copy that people open. Nothing here is imported by a command that does not make a page: the library
that draws costs a second. Does not belong here: figures that the file does not have; arithmetic
stands in the SQL, which the page prints.
"""
