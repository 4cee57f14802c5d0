"""The generated company's sources.yml.

Belongs here: the text, with the mappings that `company` and `spec` imply. Does not belong here:
reading it (`orchestration.lib.sources.config`).
"""

from __future__ import annotations

from datetime import UTC

from orchestration.lib.sample import company
from orchestration.lib.sample.spec import CompanySpec

_HEADER = """\
# {name}, an invented company ({scenario}, seed {seed}).
# Written by orchestration.lib.sample: change the generator, not this file.
version: 1
company:
  name: {name}
  reporting_currency: {currency}
  time_zone: {time_zone}
  cohort_period: month
  no_lead_after_days: 45
  as_of: {as_of}
{plan}{leave_out}sources:
  crm:
    adapter: canonical
    path: data
    cadence_hours: {{spend: 48, leads: 72}}
    daily: [spend]
    stages:
      lead:
"""

_QUALIFIED = """\
  qualified:
    - version: "1"
      from: {from_day}
      min_score: 50
      exclude_test: true
      exclude_email_domains: [{domain}]
"""

_LEAVE_OUT = """\
  leave_out:
    - {{name: bots, entity: leads, column: utm_source, equals: [{utm_source}]}}
    - {{name: bots by domain, entity: leads, column: email_domain, equals: [{bot_domain}]}}
    - {{name: touches of bots, entity: touches, column: utm_source, equals: [{utm_source}]}}
    - {{name: competitors, entity: leads, column: company, starts_with: [{competitor}]}}
"""

_FOOTER = """\
    tolerances:
      quarantine:
        leads: {at_most: 0, reason: "the CRM's export is typed: every lead must be readable"}
"""


def sources_yml(spec: CompanySpec, plan: str | None) -> str:
    """The text of the file; the data lies in `data` beside it, the plan in the folder `plan`.

    Without a plan the definition of qualified stands in the file itself.
    """
    qualified = _QUALIFIED.format(
        from_day=spec.first_day.replace(year=spec.first_day.year - 1, month=1, day=1),
        domain=company.OWN_DOMAIN,
    )
    lines = [
        _HEADER.format(
            name=company.NAME,
            scenario=spec.scenario,
            seed=spec.seed,
            currency=spec.currencies[0],
            time_zone=spec.time_zone,
            as_of=spec.as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            plan=qualified if plan is None else f"  plan: {plan}\n",
            leave_out=_LEAVE_OUT.format(
                utm_source=company.BOT_UTM_SOURCE,
                bot_domain=company.BOT_DOMAIN,
                competitor=company.COMPETITOR,
            )
            if spec.rates["left_out_leads"]
            else "",
        )
    ]
    # A lead called qualified without being so carries the same raw status, and has no stage.
    statuses = {
        raw: stage
        for raw, stage in zip(company.RAW_STATUSES, company.STAGE_NAMES, strict=False)
        if raw is not None and stage is not None
    }
    lines += [f"        {raw}: {stage}\n" for raw, stage in statuses.items()]
    if spec.rates["renamed_statuses"]:
        day = spec.renamed_on
        lines.append(
            "        # Renamed in the CRM half way: nobody used it within two days of that.\n"
            "        Qualified:\n"
            f"          - {{stage: mql, to: {day}}}\n"
            f"          - {{stage: sql, from: {day}}}\n"
        )
    lines.append("      opportunity:\n")
    for raw, stage in zip(company.RAW_STAGES, company.STAGE_NAMES[4:], strict=True):
        if raw is not None:
            lines.append(f"        {raw}: {stage}\n")
    lines.append(_FOOTER)
    return "".join(lines)
