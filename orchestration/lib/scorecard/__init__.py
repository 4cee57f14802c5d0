"""The scorecard: one publication as one page that people read, made from its file alone.

`queries` reads the published file, `figures` writes numbers as people do, `verdict` says in one
sentence how things stand, `charts` and `flow` draw, `tables` and `sections` make the parts, `page`
puts them together, `shown` keeps the copy that people open. The library that draws is loaded when a
page is made, not before. Does not belong here: figures that the file does not have; arithmetic
stands in the SQL, which the page prints.
"""
