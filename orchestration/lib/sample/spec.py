"""What company to make: `CompanySpec`, its scenarios and its oddities.

Belongs here: the choices a caller has and their checks. Does not belong here: how the company is
made of them (`company`, `generator`, the SQL beside them).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

Scenario = Literal["healthy", "mirage", "quality-trap"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)

#: Dollars per unit: the level around which each currency's daily rate moves.
USD_PER_UNIT_MICROS: dict[str, int] = {
    "USD": 1_000_000,
    "EUR": 1_080_000,
    "GBP": 1_270_000,
    "CHF": 1_120_000,
    "CAD": 730_000,
    "JPY": 6_700,  # no minor unit
    "KWD": 3_250_000,  # a thousand minor units
}
#: Digits of the minor unit, where they are not two.
EXPONENTS: dict[str, int] = {"JPY": 0, "KWD": 3}

MIRAGE_MQLS = 500
MIRAGE_ACCEPTED = 40
MIRAGE_SPEND_MINOR = 20_000_000
MIRAGE_PIPELINE_MINOR = 500_000_000


@dataclass(frozen=True)
class Oddities:
    """What is strange in real data, each to be switched off or on.

    Those on by default are resolvable: a careful pipeline comes to the true figures, and every law
    holds. `ERRORS` are errors in the data, which laws exist to find.
    """

    restatements: bool = True  # spend read again with another cost, within three days or at the
    #                            settlement five days after month end
    credits: bool = True  # invalid clicks paid back: negative cost at the settlement
    credits_exceed_spend: bool = True  # one campaign's last month gets back more than it cost
    overheads: bool = True  # kind=overhead without a campaign; never in the mirage
    finer_rows: bool = True  # a campaign whose days are delivered in two rows, same loaded_at
    spend_without_campaign: bool = True  # platform cost that names no campaign
    campaign_without_leads: bool = True
    short_campaigns: bool = True  # flights of a month or two
    leads_without_campaign: bool = True  # organic, referral, direct
    utm_noise: bool = True  # names in another case, other separators, a trailing space
    duplicates: bool = True  # the same lead row delivered twice
    returning_persons: bool = True  # one person, two leads, both kept
    merges: bool = True
    stated_merges: bool = True  # half of the merged leads only in `merges`, with a date
    merged_contacts: bool = True  # a second contact of the same person, stated in `merges`
    merged_opportunities: bool = True  # a second record of the same deal, stated in `merges`
    test_records: bool = True
    staff_leads: bool = True  # leads of the company's own e-mail domain
    left_out_leads: bool = True  # bots and competitors, for whom sources.yml has rules
    odd_mailboxes: bool = True  # info@, shared by strangers; name+tag@ of somebody known
    regressions: bool = True  # sal back to mql, proposal back to discovery
    skips: bool = True  # a stage nobody recorded; never in the mirage
    recycled: bool = True  # rejected or recycled, then qualified again
    reopened_deals: bool = True  # lost, then negotiated again
    deleted_opportunities: bool = True
    direct_deals: bool = True  # opportunities that Sales opened without a lead
    renewals: bool = True  # some of the direct deals are renewals or expansions, not new
    cloned_deals: bool = True  # lost, then opened again as another opportunity
    shared_deals: bool = True  # two leads became one opportunity; never in the mirage
    contact_roles: bool = True  # colleagues have parts in a deal, and touches; some have none
    deal_edits: bool = True  # amount, close date or owner edited without a change of stage
    amounts_unknown: bool = True  # nobody knew the amount when the deal was opened
    claimed_unqualified: bool = True  # called qualified below min_score; never in the mirage
    leads_without_history: bool = True  # only the current status is known; never in the mirage
    renamed_statuses: bool = True  # `Qualified` means another stage after a day
    anonymous_touches: bool = True  # touches that know the e-mail, not the lead
    campaign_names: bool = True  # a campaign renamed in spend alone; rows with utm_source only
    ad_level_spend: bool = True  # one campaign's ads beside its totals, and not all of them
    invoices: bool = True  # what the platforms billed, month by month; fees and tax on top
    future_events: bool = False  # breaks B8: recorded as happening after as_of
    events_before_creation: bool = False  # breaks B8
    unmapped_statuses: bool = False  # breaks B13: `Nurture Hold` has no stage

    @classmethod
    def none(cls) -> Oddities:
        """A company without any oddity."""
        return cls(**{each.name: False for each in fields(cls)})


#: The oddities that are errors: a law finds them.
ERRORS = ("future_events", "events_before_creation", "unmapped_statuses")

#: How often, in ten thousand.
_RATES: dict[str, int] = {
    "restatements": 1200,
    "credits": 4000,
    "overheads": 1,
    "finer_rows": 2500,
    "utm_noise": 1800,
    "duplicates": 60,
    "returning_persons": 200,
    "merges": 250,
    "stated_merges": 5000,
    "merged_contacts": 600,
    "merged_opportunities": 700,
    "test_records": 100,
    "staff_leads": 60,
    "left_out_leads": 200,
    "odd_mailboxes": 150,
    "regressions": 500,
    "skips": 400,
    "recycled": 600,
    "reopened_deals": 800,
    "deleted_opportunities": 150,
    "renewals": 1,
    "cloned_deals": 2000,
    "shared_deals": 1000,
    "contact_roles": 1,
    "deal_edits": 2500,
    "amounts_unknown": 800,
    "claimed_unqualified": 300,
    "leads_without_history": 200,
    "renamed_statuses": 1,
    "anonymous_touches": 300,
    "campaign_names": 1,
    "ad_level_spend": 1,
    "invoices": 1,
    "future_events": 100,
    "events_before_creation": 50,
    "unmapped_statuses": 100,
}


@dataclass(frozen=True)
class CompanySpec:
    """One company; the same spec gives the same bytes.

    `leads` counts the leads the CRM holds (merged, test and staff records included; rows delivered
    twice not; the second lead of a shared deal comes on top). Touches: `leads` ×
    `touches_per_lead` on average. Leads are created and spend runs from the first day of the first
    of `months` calendar months up to `last_day` (by default the day before `as_of` in
    `time_zone`).
    """

    seed: int = 1
    scenario: Scenario = "healthy"
    leads: int = 1500
    months: int = 6
    campaigns: int = 10
    touches_per_lead: int = 3
    currencies: tuple[str, ...] = ("USD", "EUR")
    as_of: datetime = datetime(2026, 7, 1, 12, tzinfo=UTC)
    last_day: date | None = None
    shift_day: date | None = None
    time_zone: str = "America/New_York"
    oddities: Oddities = field(default_factory=Oddities)

    def __post_init__(self) -> None:
        """Refuse what cannot be made, saying what to change."""
        if self.scenario not in SCENARIOS:
            raise ValueError(f"scenario {self.scenario!r}: choose one of {', '.join(SCENARIOS)}")
        for name, least, most in (
            ("leads", 0, 100_000_000),
            ("months", 1, 240),
            ("campaigns", 1, 2000),
            ("touches_per_lead", 1, 500),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} is {value}; expected {least} to {most}")
        unknown = [code for code in self.currencies if code not in USD_PER_UNIT_MICROS]
        if unknown or not 1 <= len(self.currencies) <= 2:
            raise ValueError(
                f"currencies {self.currencies}: name the reporting currency and at most one other "
                f"of {', '.join(USD_PER_UNIT_MICROS)}"
            )
        if len(set(self.currencies)) < len(self.currencies):
            raise ValueError(f"currencies {self.currencies}: the second repeats the first")
        if self.as_of.tzinfo is None or self.as_of.microsecond:
            raise ValueError("as_of must be a whole second with a time zone, e.g. tzinfo=UTC")
        if self.final_day >= self.as_of.astimezone(ZoneInfo(self.time_zone)).date():
            raise ValueError(f"last_day {self.final_day} must lie before as_of {self.as_of}")
        if self.scenario == "mirage" and (self.months != 3 or self.leads < 800):
            raise ValueError(
                "the mirage is one quarter of at least 800 leads: months=3, leads>=800 "
                f"(found months={self.months}, leads={self.leads})"
            )
        if self.shift_day is not None and self.scenario != "quality-trap":
            raise ValueError("shift_day belongs to the scenario quality-trap only")

    @classmethod
    def for_scenario(cls, scenario: Scenario, **changes: Any) -> Self:
        """The scenario as `tieout demo` shows it, with `changes`."""
        defaults: dict[Scenario, dict[str, Any]] = {
            "healthy": {},
            "mirage": {"months": 3, "leads": 2500, "campaigns": 8, "currencies": ("USD",)},
            "quality-trap": {"leads": 6000},
        }
        return cls(scenario=scenario, **(defaults[scenario] | changes))

    @property
    def final_day(self) -> date:
        """The last day with leads and spend."""
        if self.last_day is not None:
            return self.last_day
        return self.as_of.astimezone(ZoneInfo(self.time_zone)).date() - timedelta(days=1)

    @property
    def first_day(self) -> date:
        """The first day of the first month."""
        months = self.final_day.year * 12 + self.final_day.month - self.months
        return date(months // 12, months % 12 + 1, 1)

    @property
    def trap_day(self) -> date | None:
        """Quality trap: the day from which leads convert worse (by default half way)."""
        if self.scenario != "quality-trap":
            return None
        return self.shift_day or self.first_day + (self.final_day - self.first_day) / 2

    @property
    def renamed_on(self) -> date:
        """The day on which the CRM renamed its statuses: `Qualified` changed its meaning."""
        return self.first_day + (self.final_day - self.first_day) / 2

    @property
    def rates(self) -> dict[str, int]:
        """How often each oddity occurs, in ten thousand; 0 when it is off."""
        off_in_mirage = (
            "overheads",
            "skips",
            "claimed_unqualified",
            "leads_without_history",
            "left_out_leads",
            "cloned_deals",
            "shared_deals",
        )
        return {
            name: rate
            if getattr(self.oddities, name)
            and not (self.scenario == "mirage" and name in off_in_mirage)
            else 0
            for name, rate in _RATES.items()
        }
