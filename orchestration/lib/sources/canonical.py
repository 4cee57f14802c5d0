"""The canonical inputs: every table a source may deliver, with its columns, types and meaning.

One home for this knowledge: the adapters, the landing, the documentation and the sample company
all read it here. A change is a change of the public contract (docs/contract.md, CHANGELOG).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "instant", "date", "integer", "decimal", "boolean"]

#: What each type is in DuckDB; instants are UTC without a zone, decimals are exact major units.
SQL_TYPE: dict[Type, str] = {
    "text": "varchar",
    "instant": "timestamp",
    "date": "date",
    "integer": "bigint",
    "decimal": "decimal(38, 9)",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Column:
    """One column of a canonical table; `required` means that a row without it is quarantined."""

    name: str
    type: Type
    description: str
    required: bool = False
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """One canonical input; `key` is what makes a row one (empty: rows have no key, all count)."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    #: The column that dates a row: freshness and missing days are judged by it.
    time_column: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name, or KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names in canonical order."""
        return tuple(column.name for column in self.columns)


_UTM = (
    Column("utm_source", "text", "utm_source as the landing page saw it"),
    Column("utm_medium", "text", "utm_medium"),
    Column("utm_campaign", "text", "utm_campaign; names the campaign where `campaign` is empty"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "campaigns",
            "source, campaign",
            ("source", "campaign"),
            (
                Column("source", "text", "platform or system, e.g. Google Ads", required=True),
                Column("campaign", "text", "the campaign's name as spend has it", required=True),
                Column("channel", "text", "channel it rolls up to, e.g. paid_search"),
                Column("segment", "text", "segment it rolls up to"),
                Column("started_on", "date", "first day of its flight"),
                Column("ended_on", "date", "last day of its flight"),
            ),
        ),
        Table(
            "campaign_names",
            "spelling of a source and campaign, first day on which it holds",
            ("source", "campaign", "valid_from"),
            (
                Column("source", "text", "source as rows spell it, or utm_source", required=True),
                Column("campaign", "text", "campaign as rows spell it; empty: any of that source"),
                Column("means_source", "text", "the source it means", required=True),
                Column("means_campaign", "text", "the campaign it means; empty: as it is spelt"),
                Column("valid_from", "date", "first day; empty: always"),
                Column("valid_to", "date", "first day on which it no longer holds; empty: none"),
            ),
        ),
        Table(
            "spend",
            "source, account, campaign, day (equal rows are summed, never dropped)",
            (),
            (
                Column("source", "text", "platform or system that spent", required=True),
                Column("account", "text", "ad account; the default account when empty"),
                Column("campaign", "text", "campaign; empty: the source's (no campaign) bucket"),
                Column("day", "date", "day in the reporting time zone", required=True),
                Column("currency", "text", "ISO 4217", required=True),
                Column(
                    "cost", "decimal", "major units, exact; credits are negative", required=True
                ),
                Column("impressions", "integer", "impressions"),
                Column("clicks", "integer", "clicks"),
                Column("kind", "text", "media (default), credit or overhead (fees, tools, pay)"),
                Column("level", "text", "campaign (default); ad_group or ad: detail of that total"),
                Column("ad_group", "text", "ad group, of detail"),
                Column("ad", "text", "ad, of detail"),
                Column("loaded_at", "instant", "when the platform's figure was read (UTC)"),
            ),
            "day",
        ),
        Table(
            "control_totals",
            "source, account, month",
            ("source", "account", "month", "currency"),
            (
                Column("source", "text", "platform or system that spent", required=True),
                Column("account", "text", "ad account; the default account when empty"),
                Column("month", "date", "first day of the month", required=True),
                Column("currency", "text", "ISO 4217", required=True),
                Column("cost", "decimal", "the source's own total, major units", required=True),
            ),
        ),
        Table(
            "invoices",
            "line of an invoice or credit note for advertising",
            (),
            (
                Column("invoice_id", "text", "number of the invoice or credit note", required=True),
                Column("source", "text", "platform or system that bills", required=True),
                Column("account", "text", "ad account; the default account when empty"),
                Column("month", "date", "first day of the month it bills", required=True),
                Column("kind", "text", "media (default), credit, fee or tax"),
                Column("currency", "text", "ISO 4217", required=True),
                Column("amount", "decimal", "major units; a credit is negative", required=True),
            ),
        ),
        Table(
            "touches",
            "touch",
            ("touch_id",),
            (
                Column("touch_id", "text", "id", required=True),
                Column("lead_id", "text", "the lead, where known"),
                Column("email", "text", "the person, where no lead is known", personal=True),
                Column("source", "text", "platform or system"),
                Column("campaign", "text", "campaign"),
                *_UTM,
                Column("occurred_at", "instant", "when", required=True),
                Column("kind", "text", "click, visit, form, webinar, …"),
            ),
            "occurred_at",
        ),
        Table(
            "leads",
            "lead",
            ("lead_id",),
            (
                Column("lead_id", "text", "id", required=True),
                Column("created_at", "instant", "when the lead was created", required=True),
                Column(
                    "email",
                    "text",
                    "e-mail; leaves the warehouse only as a keyed hash",
                    personal=True,
                ),
                Column("company", "text", "company", personal=True),
                Column("source", "text", "platform or system, spelt as spend has it"),
                Column("campaign", "text", "campaign"),
                *_UTM,
                Column("score", "integer", "lead score"),
                Column("owner", "text", "who works it"),
                Column("status", "text", "current raw status, where there is no history"),
                Column("status_at", "instant", "since when, where known"),
                Column("is_test", "boolean", "a test record"),
                Column("merged_into", "text", "the lead this one was merged into"),
                Column("converted_opportunity_id", "text", "the opportunity it became"),
                Column("contact_id", "text", "the contact it became"),
            ),
            "created_at",
        ),
        Table(
            "lead_events",
            "lead, change",
            ("lead_id", "occurred_at", "status"),
            (
                Column("lead_id", "text", "the lead", required=True),
                Column("occurred_at", "instant", "when the status changed", required=True),
                Column("status", "text", "raw status after the change", required=True),
                Column("actor", "text", "who changed it"),
                Column("reason", "text", "why; a rejection has one"),
            ),
            "occurred_at",
        ),
        Table(
            "contacts",
            "contact",
            ("contact_id",),
            (
                Column("contact_id", "text", "id", required=True),
                Column("created_at", "instant", "when", required=True),
                Column("email", "text", "e-mail", personal=True),
                Column("account", "text", "company", personal=True),
                Column("owner", "text", "who works it"),
            ),
            "created_at",
        ),
        Table(
            "contact_roles",
            "opportunity, contact",
            ("opportunity_id", "contact_id"),
            (
                Column("opportunity_id", "text", "the opportunity", required=True),
                Column("contact_id", "text", "a contact who has a part in it", required=True),
                Column("role", "text", "decision maker, user, …"),
                Column("is_primary", "boolean", "the primary contact"),
            ),
        ),
        Table(
            "merges",
            "record that was merged into another",
            ("entity", "record_id"),
            (
                Column("entity", "text", "lead, contact or opportunity", required=True),
                Column("record_id", "text", "the record that is no more", required=True),
                Column("merged_into", "text", "the record it is part of now", required=True),
                Column("merged_at", "instant", "when; empty: it counts from the start"),
            ),
        ),
        Table(
            "opportunities",
            "opportunity",
            ("opportunity_id",),
            (
                Column("opportunity_id", "text", "id", required=True),
                Column("account", "text", "customer account"),
                Column("contact_id", "text", "primary contact"),
                Column("created_at", "instant", "when it was created"),
                Column("amount", "decimal", "today's amount, major units; empty: not recorded"),
                Column("currency", "text", "ISO 4217"),
                Column("owner", "text", "who works it"),
                Column("source", "text", "platform or system"),
                Column("campaign", "text", "primary campaign"),
                Column("product", "text", "product or segment sold"),
                Column("kind", "text", "new (default), or renewal, expansion, split, …: not new"),
                Column("stage", "text", "current raw stage, where there is no history"),
                Column("stage_at", "instant", "since when, where known"),
                Column("close_date", "date", "expected or actual close date"),
                Column("reason", "text", "why lost"),
                Column("is_deleted", "boolean", "deleted in the CRM"),
            ),
            "created_at",
        ),
        Table(
            "opportunity_events",
            "opportunity, change",
            ("opportunity_id", "occurred_at", "stage", "amount", "close_date"),
            (
                Column("opportunity_id", "text", "the opportunity", required=True),
                Column("occurred_at", "instant", "when it changed", required=True),
                Column("stage", "text", "raw stage after the change", required=True),
                Column("amount", "decimal", "amount after the change, major units"),
                Column("currency", "text", "currency of that amount; empty: the opportunity's"),
                Column("owner", "text", "who works it after the change; empty: as it was"),
                Column("close_date", "date", "close date after the change"),
            ),
            "occurred_at",
        ),
        Table(
            "revenue",
            "realised item (an order line, a payment)",
            (),
            (
                Column("revenue_id", "text", "id of the order or invoice", required=True),
                Column("item", "text", "line within it"),
                Column("account", "text", "customer account"),
                Column("opportunity_id", "text", "the opportunity it came from"),
                Column("occurred_at", "instant", "when", required=True),
                Column("amount", "decimal", "major units", required=True),
                Column("currency", "text", "ISO 4217", required=True),
            ),
            "occurred_at",
        ),
        Table(
            "claims",
            "department, metric, period, scope",
            ("department", "metric", "period_start", "scope", "as_of"),
            (
                Column("department", "text", "marketing, sales or finance", required=True),
                Column("metric", "text", "mqls, accepted_leads, pipeline, spend, …", required=True),
                Column("period_start", "date", "first day of the period", required=True),
                Column("period_end", "date", "last day of the period", required=True),
                Column("scope", "text", "company, or channel:…, campaign:…", required=True),
                Column("value", "decimal", "count, or money in major units", required=True),
                Column("currency", "text", "ISO 4217, for money"),
                Column("as_of", "instant", "when it was claimed", required=True),
            ),
            "as_of",
        ),
        Table(
            "fx_rates",
            "day, currency",
            ("day", "currency"),
            (
                Column("day", "date", "day", required=True),
                Column("currency", "text", "ISO 4217", required=True),
                Column("rate", "decimal", "reporting currency per unit", required=True),
            ),
            "day",
        ),
    )
}

#: Added to every landed row, so that any figure can be followed back to its line.
LINEAGE: tuple[tuple[str, str], ...] = (
    ("_feed", "varchar"),  # the entry of sources.yml that landed the row
    ("_load", "bigint"),  # number of the load within feed and table, rising
    ("_file", "varchar"),  # file name relative to the feed's location
    ("_line", "bigint"),  # physical line (or sheet row, or record) in that file
    ("_loaded_at", "timestamp"),  # as_of of the run that landed it
)
