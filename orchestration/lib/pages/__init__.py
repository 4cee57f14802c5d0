"""Live pages: looking closer at a publication, in a browser, on this machine.

`asking` puts questions to the published file, `parts` makes a page of what it answers, `app` is the
web application: addresses, headers, which publication. Look, figures and tables are the
scorecard's. Read-only: there is no page that changes anything. Does not belong here: arithmetic (it
stands in the SQL, which every page prints), starting a server (`orchestration.cli.ui`).
"""
