"""A mapping proposed for an unknown header, ready to paste into sources.yml.

Belongs here: how connectors and exports name the canonical columns, and what a column's content
says of its format. A proposal is for a person to judge: nothing here is used by a run.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.lib.sources import canonical
from orchestration.lib.sources.values import SHEET_ERRORS

if TYPE_CHECKING:
    from orchestration.lib.sources.files import SourceFile

#: Names by canonical table and column, as Fivetran, dlt, Airbyte, Salesforce, HubSpot, Google,
#: Meta, LinkedIn and Microsoft export them; compared without case, blanks and punctuation.
SYNONYMS: dict[str, dict[str, str]] = {
    "spend": {
        "source": "platform channel ad_platform",
        "account": "account_name account_id customer_id customer.descriptive_name"
        " advertiser_name ad_account_name",
        "campaign": "campaign_name campaign.name campaign_group campaign_id campaignid"
        " campaign.id utm_campaign",
        "day": "date segments.date date_start time_period start_date start_at date_day"
        " reporting_starts report_date date_id",
        "currency": "currency_code account_currency currencycode customer.currency_code",
        "cost": "spend cost_micros metrics.cost_micros amount_spent cost_in_local_currency"
        " costinlocalcurrency amount_spent_eur amount_spent_usd spend_in_local_currency"
        " spend_micros costs kosten total_spend",
        "impressions": "metrics.impressions impr",
        "clicks": "metrics.clicks link_clicks",
    },
    "leads": {
        "lead_id": "id mql_id contact_id vid record_id hs_object_id person_id",
        "created_at": "created_date createddate created_time createdate property_createdate"
        " properties_createdate first_contact_date created create_date",
        "email": "property_email properties_email email_address e_mail",
        "company": "company_name account_name property_company",
        "source": "lead_source leadsource origin property_hs_analytics_source original_source"
        " utm_source_c",
        "campaign": "campaign_name",
        "utm_source": "utm_source_c utm_source__c",
        "utm_medium": "utm_medium_c utm_medium__c",
        "utm_campaign": "utm_campaign_c utm_campaign__c",
        "score": "lead_score hubspotscore property_hubspotscore behavior_score",
        "owner": "owner_id owner_name lead_owner contact_owner_name hubspot_owner_id",
        "status": "lead_status lifecyclestage properties_lifecyclestage hs_lead_status",
        "status_at": "status_changed_at last_status_change",
        "is_test": "test is_test_lead",
        "merged_into": "master_record_id merged_into_id",
        "converted_opportunity_id": "convertedopportunityid",
        "contact_id": "converted_contact_id convertedcontactid",
    },
    "lead_events": {
        "lead_id": "leadid contact_id",
        "occurred_at": "created_date timestamp date_entered activity_date changed_at",
        "status": "new_value value to_status new_status",
        "actor": "created_by_id changed_by user_id",
        "reason": "rejection_reason reject_reason",
    },
    "opportunities": {
        "opportunity_id": "id deal_id record_id opportunityid",
        "account": "account_name account_id customer",
        "contact_id": "primary_contact contact_name contact",
        "created_at": "created_date createddate created_time createdate property_createdate"
        " engage_date",
        "amount": "property_amount properties_amount close_value offer_total_amount deal_amount",
        "currency": "currency_code currencyisocode currency_iso_code deal_currency_code",
        "owner": "owner_id sales_agent deal_owner_name deal_owner hubspot_owner_id",
        "source": "lead_source leadsource",
        "campaign": "campaign_id campaignid primary_campaign_source",
        "product": "product_name",
        "stage": "stage_name stagename deal_stage dealstage properties_dealstage"
        " deal_pipeline_stage_id",
        "stage_at": "last_stage_change_date stage_changed_at",
        "close_date": "closedate closing_date property_closedate properties_closedate won_date",
        "reason": "lost_reason loss_reason closed_lost_reason",
        "is_deleted": "isdeleted _fivetran_deleted",
    },
    "opportunity_events": {
        "opportunity_id": "opportunityid deal_id dealid",
        "occurred_at": "created_date createddate date_entered timestamp",
        "stage": "stage_name stagename value new_value",
        "amount": "",
        "close_date": "closedate",
    },
    "touches": {
        "touch_id": "id campaign_member_id activity_id",
        "lead_id": "leadid",
        "email": "email_address",
        "source": "lead_source channel",
        "campaign": "campaign_id campaign_name",
        "utm_source": "",
        "utm_medium": "",
        "utm_campaign": "",
        "occurred_at": "created_date first_responded_date timestamp activity_date event_time",
        "kind": "type activity_type event",
    },
    "contacts": {
        "contact_id": "id vid",
        "created_at": "created_time created_date createdate",
        "email": "property_email email_address",
        "account": "account_name company account_id",
        "owner": "owner_id contact_owner_name",
    },
    "revenue": {
        "revenue_id": "order_id invoice_id payment_id",
        "item": "order_item_id line_item_id line",
        "account": "seller_id customer_id account_id",
        "opportunity_id": "deal_id",
        "occurred_at": "paid_at order_date invoice_date shipping_limit_date",
        "amount": "price total revenue net_amount",
        "currency": "currency_code",
    },
    "fx_rates": {
        "day": "date rate_date",
        "currency": "currency_code iso_code",
        "rate": "conversion_rate exchange_rate",
    },
}

#: Declared formats by the shape of a column's texts, the first that fits nearly all of them.
_DATES: tuple[tuple[str, str | None], ...] = (
    (r"\d{4}-\d\d-\d\d", None),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*", None),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"\d{1,2}\.\d{1,2}\.\d{4} \d\d?:\d\d", "%d.%m.%Y %H:%M"),
    (r"\d{1,2}\.\d{1,2}\.\d{4} \d\d?:\d\d:\d\d", "%d.%m.%Y %H:%M:%S"),
    (r"\d{1,2} [A-Za-z]{3}, \d{4} \d\d?:\d\d:\d\d", "%d %b, %Y %H:%M:%S"),
    (r"\d{1,2}/\d{1,2}/\d{4} \d\d?:\d\d [AaPp][Mm]", "%m/%d/%Y %I:%M %p"),
    (r"\d{8}", "%Y%m%d"),
    (r"1\d{9}", "epoch_seconds"),
    (r"1\d{12}", "epoch_millis"),
)
_SAMPLE = 1000
_ENOUGH = 0.9


@dataclass(frozen=True)
class Suggestion:
    """A proposed table: which columns were recognised, and the YAML that says so."""

    table: str
    recognised: int
    missing: tuple[str, ...]
    yaml: str


def suggest(file: SourceFile, table: str | None = None) -> Suggestion | None:
    """The likeliest canonical table of a file with its header read, or None."""
    headers = {_plain(name): name for name in reversed(file.names) if name}
    best: tuple[float, str, dict[str, str]] | None = None
    for name in [table] if table else SYNONYMS:
        found = _match(name, headers)
        needed = [c.name for c in canonical.TABLES[name].columns if c.required]
        # Constants can stand in for these two; what identifies a table cannot be a constant.
        own = [n for n in needed if n not in ("source", "currency")]
        score = len(found) + 2 * sum(n in found for n in own) - 3 * sum(n not in found for n in own)
        if found and (best is None or score > best[0]):
            best = (score, name, found)
    if best is None or (table is None and best[0] < 3):
        return None
    _, name, found = best
    missing = tuple(
        c.name for c in canonical.TABLES[name].columns if c.required and c.name not in found
    )
    return Suggestion(name, len(found), missing, _yaml(file, name, found, missing))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _match(table: str, headers: dict[str, str]) -> dict[str, str]:
    """Canonical column to the file's, each of the file's at most once."""
    found: dict[str, str] = {}
    columns = canonical.TABLES[table].columns
    for by_own_name in (True, False):
        for column in columns:
            if column.name in found:
                continue
            known = SYNONYMS.get(table, {}).get(column.name, "").split()
            for name in [column.name] if by_own_name else known:
                header = headers.get(_plain(name))
                if header is not None and header not in found.values():
                    found[column.name] = header
                    break
    return found


def _yaml(file: SourceFile, table: str, found: dict[str, str], missing: tuple[str, ...]) -> str:
    lines = [f"{table}:", f"  files: {_text(file.name)}"]
    if file.format in ("csv", "tsv") and file.delimiter not in (",", "\t"):
        lines.append(f"  delimiter: {_text(file.delimiter)}")
    lines.append("  columns:")
    samples = _samples(file, list(found.values()))
    for column in canonical.TABLES[table].columns:
        header = found.get(column.name)
        if header is not None:
            options, comment = _options(column, header, samples[header])
            short = f"{{column: {_text(header)}, {options}}}" if options else _text(header)
            lines.append(f"    {column.name}: {short}{comment}")
        elif column.name in missing:
            lines.append(f"    {column.name}: {{constant: TODO}}  # {column.description}")
    unused = [name for name in file.names if name and name not in found.values()]
    if unused:
        lines.append(f"  # not mapped: {', '.join(unused)}")
    return "\n".join(lines)


def _text(value: str) -> str:
    if re.fullmatch(r"[A-Za-z][\w ]*[\w]", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


def _samples(file: SourceFile, names: list[str]) -> dict[str, list[str]]:
    """Texts that are not empty, from the beginning of the file."""
    rows = file.sample(_SAMPLE)
    texts = {name: [row[file.names.index(name)].strip() for row in rows] for name in names}
    return {
        name: [text for text in found if text and text not in SHEET_ERRORS]
        for name, found in texts.items()
    }


def _options(column: canonical.Column, header: str, texts: list[str]) -> tuple[str, str]:
    """The options of a column, and a comment where a person must decide."""
    if texts and column.type in ("date", "instant"):
        return _date_options(column, texts)
    if texts and column.type in ("decimal", "integer"):
        return _number_options(column, header, texts), ""
    return "", ""


def _date_options(column: canonical.Column, texts: list[str]) -> tuple[str, str]:
    for shape, form in _DATES:
        fitting = sum(re.fullmatch(shape, text) is not None for text in texts)
        if fitting < _ENOUGH * len(texts):
            continue
        if form is not None:
            return f'format: "{form}"', ""
        is_instant = shape != _DATES[0][0]
        if column.type == "date" and is_instant:
            return 'format: "%Y-%m-%d %H:%M:%S"', ""
        return "", ""
    return 'format: "TODO"', f"  # it has {texts[0]!r}"


def _number_options(column: canonical.Column, header: str, texts: list[str]) -> str:
    options = []
    if column.type == "decimal" and "micros" in header.lower():
        options.append("scale: micros")
    symbols = Counter(
        symbol for text in texts for symbol in re.findall(r"R\$|[$€£¥₽₹]|[A-Z]{3}", text)
    )
    suffixes = sorted({text[-1] for text in texts if re.search(r"\d ?[KMB]$", text)})
    points = sum(bool(re.search(r"\.\d{1,2}$|\.\d{4,}$", text)) for text in texts)
    commas = sum(bool(re.search(r",\d{1,2}\D*$", text)) for text in texts)
    grouped = {mark: any(re.search(rf"\d{re.escape(mark)}\d{{3}}(\D|$)", text) for text in texts)
               for mark in ".,"}  # fmt: skip
    if commas > points:
        options.append('decimal: ","')
        if grouped["."]:
            options.append('thousands: "."')
    elif grouped[","]:
        options.append('thousands: ","')
    if symbols:
        options.append(f"symbols: [{', '.join(_text(symbol) for symbol in sorted(symbols))}]")
    if suffixes:
        factor = {"K": 1000, "M": 1_000_000, "B": 1_000_000_000}
        options.append(f"suffixes: {{{', '.join(f'{s}: {factor[s]}' for s in suffixes)}}}")
    return ", ".join(options)
