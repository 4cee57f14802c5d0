"""The company's cast: platforms, campaigns, people, products, statuses.

Belongs here: names and the few numbers each campaign carries. Does not belong here: what happens to
leads (`sql/latent.sql`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.lib.sample.spec import EXPONENTS, USD_PER_UNIT_MICROS, CompanySpec

NAME = "Larkfield Software"
OWN_DOMAIN = "larkfield.example"
#: What gives bots and a competitor away; sources.yml has rules against both.
BOT_UTM_SOURCE = "crawler"
BOT_DOMAIN = "traffic-partner.example"
COMPETITOR = "Sparrowhawk Systems"
#: utm_source as landing pages see it, by source.
UTM_SOURCES = {"Google Ads": "google", "LinkedIn Ads": "linkedin", "Meta Ads": "facebook"}
#: What a renamed campaign is called in spend from that day on.
RENAMED = "{} - Relaunch"

#: Raw lead status by step code (1 new … 13 disqualified; see sql/latent.sql).
RAW_STATUSES: tuple[str | None, ...] = (
    "New", "Marketing Qualified", "Sales Accepted", "Sales Qualified", None, None, None, None,
    "Marketing Qualified", "Rejected", "Recycled", "Expired", "Disqualified",
)  # fmt: skip
#: Raw opportunity stage by step code less four.
RAW_STAGES: tuple[str | None, ...] = (
    "Discovery", "Proposal Sent", "Negotiation", "Closed Won",
    None, None, None, None, None, "Closed Lost",
)  # fmt: skip
#: Canonical stage by step code.
STAGE_NAMES: tuple[str | None, ...] = (
    "lead", "mql", "sal", "sql", "opportunity", "proposal", "negotiation", "won",
    None, "rejected", "recycled", "expired", "disqualified", "lost",
)  # fmt: skip

WORDS: dict[str, tuple[str, ...]] = {
    "first_names": (
        "Ada", "Amir", "Anna", "Bea", "Carlos", "Chen", "Clara", "David", "Elena", "Emil",
        "Fatima", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia", "Kofi",
        "Lena", "Liam", "Lucia", "Marco", "Maya", "Nadia", "Noah", "Olga", "Omar", "Paula",
        "Priya", "Quentin", "Rosa", "Samir", "Sofia", "Tom", "Uma", "Victor", "Wei", "Zoe",
    ),
    "last_names": (
        "Abbott", "Becker", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito",
        "Jansen", "Keller", "Lopez", "Meyer", "Novak", "Okafor", "Patel", "Quinn", "Rossi",
        "Sato", "Tanaka", "Ueda", "Vogel", "Walker", "Xu", "Young", "Ziegler",
    ),
    "company_words": (
        "Alder", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Iris",
        "Juniper", "Kestrel", "Lumen", "Maple", "Nimbus", "Onyx", "Pioneer", "Quartz", "Ridge",
        "Summit", "Tidal", "Umber", "Vertex", "Willow", "Zephyr",
    ),
    "company_kinds": (
        "Analytics", "Bank", "Clinics", "Devices", "Energy", "Foods", "Group", "Hotels",
        "Insurance", "Labs", "Logistics", "Media", "Retail", "Software", "Textiles", "Works",
    ),
    "owners": ("Dana Reyes", "Eli Stone", "Farah Aziz", "Gus Lindholm", "Holly Park", "Ian Wolfe"),
    "products": ("Core", "Core", "Plus", "Enterprise"),
    "rejections": (
        "No budget", "Wrong contact", "Too small", "Student", "Competitor", "No answer",
    ),
    "disqualifications": ("No authority", "Wrong region", "Spam", "Existing customer"),
    "losses": ("Price", "Chose a competitor", "No decision", "Timing"),
    "roles": ("Economic buyer", "Champion", "User", "Evaluator"),
}  # fmt: skip


@dataclass(frozen=True)
class Campaign:
    """One place leads come from; `campaign` is empty for a source's (no campaign) bucket."""

    source: str | None
    account: str | None
    campaign: str | None
    channel: str
    segment: str | None
    currency: str
    lead_weight: int
    spend_weight: int
    cost_per_lead_minor: int
    mql_ppm: int
    first_month_i: int
    last_month_i: int
    first_day: date
    last_day: date | None
    #: The month in which it gets back more than it cost, if any.
    credit_heavy_month_i: int | None = None

    @property
    def campaign_key(self) -> str:
        """The readable key that dim_campaign gives it."""
        return f"{self.source or '(unknown)'} / {self.campaign or '(no campaign)'}"


#: source, account, channel, foreign currency?, cost per lead in minor units, campaign names.
_PLATFORMS: tuple[tuple[str, str, str, bool, int, tuple[tuple[str, str], ...]], ...] = (
    (
        "Google Ads", "418-220-7731", "paid_search", False, 9500,
        (
            ("US Search Brand", "mid-market"),
            ("US_Search_Payroll-Software", "mid-market"),
            ("US Search Competitors", "smb"),
            ("CA Search Generic", "smb"),
            ("US Video Explainer", "smb"),
        ),
    ),
    (
        "LinkedIn Ads", "508114290", "paid_social", False, 16000,
        (
            ("Enterprise CFO Whitepaper", "enterprise"),
            ("ABM-Tier1-Finance", "enterprise"),
            ("Webinar_RevOps_Benchmarks", "mid-market"),
            ("Retargeting Site Visitors", "mid-market"),
        ),
    ),
    (
        "Meta Ads", "act_7730192", "paid_social", True, 7000,
        (
            ("DACH Lead Form Checklist", "smb"),
            ("DACH_Retargeting", "smb"),
            ("FR Lookalike Customers", "smb"),
            ("Benelux Webinar Payroll", "mid-market"),
        ),
    ),
)  # fmt: skip


def _chance(spec: CompanySpec, what: str, least: int, most: int) -> int:
    """A number from least to most that depends on the seed and on `what` alone."""
    digest = hashlib.sha256(f"{spec.seed}/{what}".encode()).digest()
    return least + int.from_bytes(digest[:8], "big") % (most - least + 1)


def _month_start(spec: CompanySpec, month_i: int) -> date:
    months = spec.first_day.year * 12 + spec.first_day.month - 1 + month_i
    return date(months // 12, months % 12 + 1, 1)


def campaigns(spec: CompanySpec) -> list[Campaign]:
    """Every campaign, then the (no campaign) buckets; the first of each platform always runs."""
    odd = spec.oddities
    home, foreign = spec.currencies[0], spec.currencies[-1]
    cast: list[Campaign] = []
    for n in range(spec.campaigns):
        platform = n % len(_PLATFORMS)
        source, account, channel, is_foreign, cost_minor, names = _PLATFORMS[platform]
        nth = n // len(_PLATFORMS)
        name, segment = names[nth % len(names)]
        if nth >= len(names):
            name = f"{name} {nth // len(names) + 1:02d}"
        first_month, last_month = 0, spec.months - 1
        is_credit_heavy = odd.credits_exceed_spend and n == max(spec.campaigns - 2, 0)
        last_day = None
        if odd.short_campaigns and nth > 0 and n % 2 == 0 and spec.months > 1:
            latest_start = spec.months - 2 if is_credit_heavy else spec.months - 1
            first_month = _chance(spec, f"start {n}", 0, latest_start)
            last_month = min(spec.months - 1, first_month + _chance(spec, f"length {n}", 0, 2))
            last_day = min(_month_start(spec, last_month + 1) - timedelta(days=1), spec.final_day)
        weight = _chance(spec, f"weight {n}", 60, 140)
        is_silent = odd.campaign_without_leads and n == spec.campaigns - 1 and n > 1
        # A month whose settlement has come by as_of, wherever there is one.
        credit_heavy_month = min(last_month, max(spec.months - 2, 0)) if is_credit_heavy else None
        cast.append(
            Campaign(
                source=source,
                account=account,
                campaign=name,
                channel=channel,
                segment=segment,
                currency=foreign if is_foreign else home,
                lead_weight=0 if is_silent else weight,
                spend_weight=weight // 3 if is_silent else weight,
                cost_per_lead_minor=cost_minor * _chance(spec, f"cost {n}", 80, 120) // 100,
                mql_ppm=_chance(spec, f"quality {n}", 240_000, 360_000),
                first_month_i=first_month,
                last_month_i=last_month,
                first_day=_month_start(spec, first_month),
                last_day=last_day,
                credit_heavy_month_i=credit_heavy_month,
            )
        )
    total = sum(each.lead_weight for each in cast)
    buckets: list[tuple[str | None, str | None, str, str, int, int, bool]] = []
    google, account, search = _PLATFORMS[0][0], _PLATFORMS[0][1], _PLATFORMS[0][2]
    without = odd.leads_without_campaign
    if odd.spend_without_campaign or without:
        buckets.append(
            (google, account, search, home, 4 if without else 0, 5, odd.spend_without_campaign)
        )
    # Where direct deals come from; without `leads_without_campaign` no lead does.
    buckets += [
        ("Organic Search", None, "organic", home, 16 if without else 0, 0, False),
        ("Referral", None, "referral", home, 6 if without else 0, 0, False),
        (None, None, "direct", home, 3 if without else 0, 0, False),
        ("Outbound", None, "outbound", home, 0, 0, False),
    ]
    for where, bucket_account, channel, currency, lead_pct, spend_pct, has_spend in buckets:
        cast.append(
            Campaign(
                source=where,
                account=bucket_account,
                campaign=None,
                channel=channel,
                segment=None,
                currency=currency,
                lead_weight=max(total * lead_pct // 100, 1) if lead_pct else 0,
                spend_weight=max(total * spend_pct // 100, 1) if has_spend else 0,
                cost_per_lead_minor=9000,
                mql_ppm=300_000,
                first_month_i=0,
                last_month_i=spec.months - 1,
                first_day=spec.first_day,
                last_day=None,
            )
        )
    return cast


def exponent(currency: str) -> int:
    """Digits of a currency's minor unit."""
    return EXPONENTS.get(currency, 2)


def plan_micros(spec: CompanySpec, currency: str) -> int:
    """The plan's rate of a currency to the reporting currency, in millionths."""
    reporting = USD_PER_UNIT_MICROS[spec.currencies[0]]
    return USD_PER_UNIT_MICROS[currency] * 1_000_000 // reporting
