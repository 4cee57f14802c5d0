"""sources.yml: what is accepted, and errors that name file, line, key, found and expected."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.lib.sources.config import (
    MappedFeed,
    SourcesError,
    SourcesFile,
    did_you_mean,
    feed_tables,
    load_sources,
)

HEAD = """\
version: 1
company:
  name: Sample
  reporting_currency: EUR
"""
MAPPED = (
    HEAD
    + """\
sources:
  ads:
    adapter: mapped
    path: .
    tables:
      spend:
        files: "*.csv"
        columns:
          source: {constant: Google Ads}
          day: {column: Date, format: "%d.%m.%Y"}
          currency: {constant: EUR}
          cost: Spend
"""
)


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.yml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SourcesError) as caught:
        load_sources(write(folder, text))
    return [f"{p.line}: {p.key}: {p.message}" for p in caught.value.problems]


def loaded(folder: Path, text: str) -> SourcesFile:
    return load_sources(write(folder, text))


def test_defaults_and_short_form(tmp_path: Path) -> None:
    sources = loaded(tmp_path, MAPPED)
    feed = sources.sources["ads"]
    assert isinstance(feed, MappedFeed)
    assert feed.tables["spend"].columns["cost"].column == "Spend"
    assert feed.tables["spend"].mode == "snapshot"
    company = sources.company
    assert (company.cohort_period, company.no_lead_after_days) == ("month", 90)
    [definition] = company.definitions
    assert (definition.version, definition.min_score, definition.exclude_test) == (
        "default",
        None,
        True,
    )
    assert sources.line("sources", "ads", "tables", "spend", "columns", "day") == 14


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourcesError, match=r"none\.yml:1: the file does not exist"):
        load_sources(tmp_path / "none.yml")


def test_unknown_key_names_line_and_the_key_meant(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, MAPPED.replace("files:", "fiels:"))
    assert problem.startswith("11: sources.ads.tables.spend.fiels: unknown key 'fiels'")
    assert "did you mean 'files'" in problem


def test_unknown_key_of_a_column(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, MAPPED.replace("Date, format", "Date, fromat"))
    assert problem.startswith("14: sources.ads.tables.spend.columns.day.fromat: unknown key")
    assert "did you mean 'format'" in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = MAPPED.replace("EUR\nsources", "euro\n  time_zone: Europe/Berln\nsources")
    found = problems(tmp_path, text)
    assert found[0].startswith("4: company.reporting_currency: found 'euro'")
    assert "did you mean 'Europe/Berlin'" in found[1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("version: 1", "version: 2"), "1: version: found 2, expected 1"),
        (("adapter: mapped", "adapter: maped"), "7: sources.ads.adapter: found 'maped'"),
        (("      spend:", "      spent:"), "10: sources.ads.tables.spent: 'spent' is no canonical"),
        (("cost: Spend", "cots: Spend"), "16: sources.ads.tables.spend.columns.cots: spend has no"),
        (
            ("          cost: Spend\n", ""),
            "12: sources.ads.tables.spend.columns: spend.cost (major units",
        ),
        (
            ("cost: Spend", "cost: {column: S, constant: 1}"),
            "16: sources.ads.tables.spend.columns.cost: expected exactly one of",
        ),
        (
            ("cost: Spend", 'cost: {column: S, format: "%d"}'),
            "16: sources.ads.tables.spend.columns.cost.format: `format` means nothing",
        ),
        (
            ("cost: Spend", "cost: {column: S, decimal: ',', thousands: ','}"),
            "16: sources.ads.tables.spend.columns.cost: `decimal` and `thousands` are the same",
        ),
        (
            ("cost: Spend", "cost: {column: S, suffixes: {K: 1024}}"),
            "16: sources.ads.tables.spend.columns.cost.suffixes.K: found 1024",
        ),
        (
            ('files: "*.csv"', 'files: "*.csv"\n        exclude: [{column: A, reason: r}]'),
            "12: sources.ads.tables.spend.exclude.0: expected exactly one of `equals`",
        ),
        (
            ('files: "*.csv"', 'files: "*.csv"\n        encoding: utf-9'),
            "12: sources.ads.tables.spend.encoding: found 'utf-9'",
        ),
        (
            ("    path: .", "    path: .\n    daily: [campaigns]"),
            "9: sources.ads.daily.campaigns: 'campaigns' has",
        ),
        (
            ("    path: .", "    path: .\n    stages: {lead: {Neu: leed}}"),
            "9: sources.ads.stages.lead.Neu: found 'leed', which is no canonical stage",
        ),
        (
            ("    path: .", "    path: .\n    tolerances: {laws: {Z9: {at_most: 1, reason: r}}}"),
            "9: sources.ads.tolerances.laws.Z9: 'Z9' is no law",
        ),
        (("  ads:", "  Ads:"), "6: sources.Ads: 'Ads' cannot name a feed"),
        (("  name: Sample\n", ""), "2: company.name: the key 'name' is missing"),
        (("    path: .\n", ""), "6: sources.ads.path: the key 'path' is missing"),
        (
            ("  name: Sample", "  name: Sample\n  no_lead_after_days: soon"),
            "4: company.no_lead_after_days: found 'soon', expected a whole number",
        ),
        (
            ("  name: Sample", "  name: Sample\n  cohort_period: mnth"),
            "4: company.cohort_period: found 'mnth', expected one of 'day', 'week'",
        ),
        (("sources:\n", "sources: x\nrest:\n"), "6: rest: unknown key 'rest'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    found = problems(tmp_path, MAPPED.replace(*change))
    assert any(problem.startswith(expected) for problem in found), found


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, HEAD + "company: {}\n")
    assert problem == "5: : the key 'company' stands twice (first on line 2)"


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, HEAD + "sources: [a\nb: {\n")
    assert problem.startswith(("6:", "7:"))


def test_text_is_not_turned_into_other_types(tmp_path: Path) -> None:
    text = MAPPED.replace("name: Sample", "name: NO").replace(
        "source: {constant: Google Ads}",
        "source: {column: S, lookup: {NO: Norway, On: 1.10, 2025-01-01: yes, null: 0x1F, ~: '~'}}",
    )
    sources = loaded(tmp_path, text)
    feed = sources.sources["ads"]
    assert isinstance(feed, MappedFeed)
    assert sources.company.name == "NO"
    assert feed.tables["spend"].columns["source"].lookup == {
        "NO": "Norway",
        "On": "1.10",
        "2025-01-01": "yes",
        "null": "0x1F",
        "~": "~",
    }


def test_stages_may_be_effective_dated(tmp_path: Path) -> None:
    text = MAPPED.replace(
        "    path: .",
        "    path: .\n    stages:\n      lead:\n        On: mql\n        Off:\n"
        "          - {stage: lead, to: 2025-07-01}\n"
        "          - {stage: rejected, from: 2025-07-01}",
    )
    stages = loaded(tmp_path, text).sources["ads"].stages.lead
    assert stages["On"] == "mql"
    assert [(e.stage, e.from_, e.to) for e in stages["Off"] if not isinstance(e, str)] == [
        ("lead", None, date(2025, 7, 1)),
        ("rejected", date(2025, 7, 1), None),
    ]


def test_as_of_is_utc(tmp_path: Path) -> None:
    text = MAPPED.replace("name: Sample", "name: S\n  as_of: 2026-03-31T23:00:00+02:00")
    sources = loaded(tmp_path, text)
    assert sources.as_of() == datetime(2026, 3, 31, 21)
    assert sources.as_of(datetime(2026, 1, 1, 5, tzinfo=UTC)) == datetime(2026, 1, 1, 5)


def test_definitions_are_hashed_and_in_order(tmp_path: Path) -> None:
    versions = (
        "name: S\n  qualified:\n    - {version: '1', from: 2025-01-01, min_score: 50}\n"
        "    - {version: '2', from: %s, exclude_email_domains: [b.org, A.org]}"
    )
    text = MAPPED.replace("name: Sample", versions % "2025-06-01")
    first, second = loaded(tmp_path, text).company.definitions
    assert first.sha256 != second.sha256
    again = text.replace("[b.org, A.org]", "[a.org, B.org]")
    assert loaded(tmp_path, again).company.definitions[1].sha256 == second.sha256
    [problem] = problems(tmp_path, MAPPED.replace("name: Sample", versions % "2024-06-01"))
    assert "must be later" in problem


def test_mapping_hash_changes_with_the_mapping_only(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        return feed_tables(loaded(tmp_path, text))[0].mapping_sha256

    same = MAPPED.replace("name: Sample", "name: Other").replace("*.csv", "s*.csv")
    assert digest(MAPPED) == digest(same)
    assert digest(MAPPED) != digest(MAPPED.replace("%d.%m.%Y", "%m.%d.%Y"))


def test_did_you_mean_sees_through_case_and_underscores() -> None:
    assert did_you_mean("CreatedDate", ["created_date", "closed"]) == "created_date"
    assert did_you_mean("xyz", ["created_date"]) is None


CHANNELS = """\
sources:
  crm: {adapter: canonical, path: .}
notify:
  channels:
    sales-team:
      url_env: TIEOUT_SALES_CHANNEL
      events: [alarm, overdue]
      owners: [sales]
    ops: {url_env: OPS}
"""


def test_channels_name_a_variable_events_and_owners(tmp_path: Path) -> None:
    channels = loaded(tmp_path, HEAD + CHANNELS).notify.channels
    assert channels["sales-team"].events == ["alarm", "overdue"]
    assert channels["sales-team"].owners == ["sales"]
    assert len(channels["ops"].events) == 6, "everything"
    assert loaded(tmp_path, MAPPED).notify.channels == {}


def test_address_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """It holds a secret: neither the message nor the exception that led to it shows it."""
    text = (HEAD + CHANNELS).replace("TIEOUT_SALES_CHANNEL", '"slack://T1JJ3T3L2/s3cr3t"')
    with pytest.raises(SourcesError) as caught:
        load_sources(write(tmp_path, text))
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (10, "notify.channels.sales-team.url_env")
    assert "the name of an environment variable" in problem.message
    assert "s3cr3t" not in str(caught.value) + str(caught.value.__cause__)


def test_channel_errors_name_line_and_key(tmp_path: Path) -> None:
    def told(old: str, new: str) -> str:
        (problem,) = problems(tmp_path, (HEAD + CHANNELS).replace(old, new))
        return problem

    assert told("alarm,", "alarms,").startswith("11: notify.channels.sales-team.events.0: ")
    assert "expected one of 'blocked', " in told("alarm,", "alarms,")
    assert "unknown key 'url'; did you mean 'url_env'" in told("url_env: OPS", "url: OPS")
    assert "expected at least one entry" in told("[alarm, overdue]", "[]")
    assert "cannot name a channel" in told("ops:", "Ops Team:")
