"""Links from the scorecard into the live pages, put in when it is shown by them.

The scorecard itself works without a server and has none. Belongs here: finding its campaigns,
cohorts, owners of the handoff and laws. Does not belong here: making the scorecard.
"""

from __future__ import annotations

import re
from html import unescape

from markupsafe import Markup

from orchestration.lib.pages.parts import Links

#: Words of the scorecard, as `orchestration.lib.scorecard.figures` marks them.
_CELL = re.compile(
    r'<span data-query="(?P<query>\w+)" data-row="(?P<row>\d+)" data-column="(?P<column>\w+)"'
    r' data-form="\w+" data-value="(?P<value>[^"]*)">(?P<text>[^<]*)</span>'
)


def linked(page: str, links: Links) -> str:
    """The page with its campaigns, cohorts, owners and laws leading to their pages."""
    campaigns = {
        (cell["query"], cell["row"]): unescape(cell["value"])
        for cell in _CELL.finditer(page)
        if cell["column"] == "campaign_key"
    }

    def link(cell: re.Match[str]) -> str:
        value = unescape(cell["value"])
        campaign = campaigns.get((cell["query"], cell["row"]))
        match cell["column"]:
            case "campaign_key":
                to = links.to("campaign", value)
            case "cohort_start_date" if campaign is not None:
                to = links.to("cohort", campaign, value)
            case "owner" if cell["query"] == "handoff":
                # "sales: …", as `side_name` says it; everybody has no side.
                side, colon, _ = cell["text"].partition(": ")
                to = links.to("handoff", side if colon else "both", value)
            case "law":
                to = links.to("law", value)
            case _:
                return cell[0]
        # The cell is the scorecard's own markup, escaped when it was made.
        return Markup('<a href="{}">{}</a>').format(to, Markup(cell[0]))  # noqa: S704

    return _CELL.sub(link, page)
