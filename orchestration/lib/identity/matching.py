"""Suggested merges: records of different persons that are probably one, by Splink on DuckDB.

Splink implements the model of Fellegi and Sunter (1969): every field of a pair of records that
agrees, nearly agrees or differs moves the odds that both are one person. How often fields agree by
chance is counted in the company's own records; how often they agree between records of one person
is stated below: after the exact rules too few such pairs are left to learn it from.

Nothing here merges anything. The suggestions have the shape of the canonical input `merges`, so
that what people have reviewed can be delivered as it stands.

The same records give the same suggestions: one thread, a fixed seed, records in order of their ids.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.sources.values import quoted
from orchestration.settings import SEEDS, Home, memory_limit

#: A pair is looked at from here on; what is suggested is the caller's `threshold`.
_LEAST = 0.01
#: Pairs of random records by which chance agreement is counted.
_MAX_PAIRS = 5e5
_SEED = 1
#: Of a hundred records, how many are somebody's who is there already, before anything is compared.
_SHARE = 0.02

_INSTALL = "pip install 'tieout[identity]'"


class IdentityError(RuntimeError):
    """Nothing can be suggested; the message says why and what to do."""


class SplinkMissingError(IdentityError):
    """The optional dependency is not installed."""


@dataclass(frozen=True)
class Suggestion:
    """One record that is probably the person of another one."""

    entity: str
    record_id: str
    merged_into: str
    #: Of the best pair of records between the two persons.
    probability: float


def last_run_records(home: Home) -> duckdb.DuckDBPyConnection:
    """The leads and contacts of the last run, one record a person, as table `record`.

    Columns: entity, record_id, mailbox, domain, company. The person is the one that the exact rules
    of that run know (`fct_identity__record`); its earliest record stands for it.

    Raises:
        IdentityError: There was no run yet, or its warehouse cannot be read.
    """
    if not home.warehouse.is_file() or not home.inputs.is_dir():
        raise IdentityError(
            f"found no run in {home.root}, expected one: `tieout run` reads the records first"
        )
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": memory_limit(),
            "threads": 1,
            "temp_directory": str(home.work / "tmp"),
        }
    )
    try:
        connection.execute(f"attach {quoted(str(home.warehouse))} as books (read_only)")
        leads = quoted(f"{home.inputs}/leads/*.parquet")
        contacts = quoted(f"{home.inputs}/contacts/*.parquet")
        shared = quoted(str(SEEDS / "reference" / "shared_mailboxes.csv"))
        free = quoted(str(SEEDS / "reference" / "free_mail_domains.csv"))
        connection.execute(
            _RECORDS.format(leads=leads, contacts=contacts, shared=shared, free=free)
        )
        connection.execute("detach books")
    except duckdb.Error as error:
        connection.close()
        raise IdentityError(
            f"the last run in {home.root} cannot be read: {error}; `tieout run` builds it again"
        ) from error
    return connection


#: An e-mail's mailbox and domain and a company's name, brought to a form in which typing errors are
#: few characters; the account key of the models without what only exact rules need.
_RECORDS = r"""
create table record as
with delivered as (
    select 'lead' as entity, lead_id as record_id, email, company, created_at, _load, _line, _feed
    from read_parquet({leads})
    union all
    select 'contact', contact_id, email, account, created_at, _load, _line, _feed
    from read_parquet({contacts})
),
newest as (
    from delivered
    qualify row_number() over (
        partition by entity, record_id order by _load desc, _line desc, _feed
    ) = 1
),
named as (
    select
        entity, record_id, created_at,
        lower(trim(email)) as address,
        trim(regexp_replace(
            regexp_replace(lower(company), '[.''’]+', '', 'g'), '[^\p{{L}}\p{{N}}]+', ' ', 'g'
        )) as company
    from newest
),
known as (
    select
        named.entity, named.record_id, books.person_key,
        nullif(split_part(split_part(address, '@', 1), '+', 1), '') as mailbox,
        nullif(split_part(address, '@', 2), '') as domain,
        nullif(company, '') as company,
        created_at
    from named
    inner join books.main.fct_identity__record as books using (entity, record_id)
    where not books.is_merged
)
select
    entity, record_id, company,
    -- A shared mailbox is nobody's, a free-mail domain no employer's.
    case when mailbox not in (select mailbox from read_csv({shared}, all_varchar = true))
        then mailbox end as mailbox,
    case when domain not in (select domain from read_csv({free}, all_varchar = true))
        then domain end as domain,
from known
qualify row_number() over (
    partition by entity, person_key order by created_at, record_id
) = 1
order by entity, record_id
"""


def suggest(records: duckdb.DuckDBPyConnection, threshold: float = 0.9) -> list[Suggestion]:
    """Merges of records that are one person with at least that probability, in order of their ids.

    Args:
        records: A connection with the table `record` (see `last_run_records`), one record a person.
        threshold: Least probability, between 0 and 1.

    Raises:
        SplinkMissingError: Splink is not installed.
    """
    _demand_splink()
    suggestions: list[Suggestion] = []
    entities = records.execute("select distinct entity from record order by 1").fetchall()
    for (entity,) in entities:
        pairs = _pairs(records, str(entity))
        suggestions += _merges(str(entity), [pair for pair in pairs if pair[2] >= threshold])
    return suggestions


def write_suggestions(suggestions: Iterable[Suggestion], out: Path | None) -> str:
    """The suggestions as CSV: the columns of `merges`, then the probability; written if `out`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["entity", "record_id", "merged_into", "merged_at", "probability"])
    for each in suggestions:
        writer.writerow(
            [each.entity, each.record_id, each.merged_into, "", f"{each.probability:.6f}"]
        )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue()


def _demand_splink() -> None:
    try:
        import splink  # noqa: F401
    except ImportError as error:
        raise SplinkMissingError(
            f"probabilistic matching needs Splink, which is not installed: {_INSTALL}"
        ) from error


@contextmanager
def _silent() -> Iterator[None]:
    """Splink tells its progress to the log of the application."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


Pair = tuple[str, str, float]


def _pairs(records: duckdb.DuckDBPyConnection, entity: str) -> list[Pair]:
    """Pairs of records that could be one person, with their probability."""
    from splink import DuckDBAPI, Linker

    connection = records.cursor()
    connection.execute(
        "create or replace table candidate as select record_id as unique_id, mailbox, domain,"
        " company, left(mailbox, 3) as mailbox_start, right(mailbox, 4) as mailbox_end"
        " from record where entity = ? and mailbox is not null order by record_id",
        [entity],
    )
    (count,) = connection.execute("select count(*) from candidate").fetchone() or (0,)
    if count < 2:
        return []
    with _silent():
        records_of_splink = DuckDBAPI(connection).register("candidate")
        untrained = Linker(records_of_splink, _settings(count), log_level=logging.ERROR)
        untrained.training.estimate_u_using_random_sampling(
            max_pairs=_MAX_PAIRS, seed=_SEED, min_count_per_level=None
        )
        model = _without_gaps(untrained.misc.save_model_to_json())
        linker = Linker(records_of_splink, model, log_level=logging.ERROR)
        predicted = linker.inference.predict(threshold_match_probability=_LEAST)
        found = connection.execute(
            "select least(unique_id_l, unique_id_r), greatest(unique_id_l, unique_id_r),"
            f" match_probability from {predicted.physical_name} order by 1, 2"
        ).fetchall()
    return [(str(left), str(right), float(chance)) for left, right, chance in found]


def _without_gaps(model: dict[str, Any]) -> dict[str, Any]:
    """The model with a chance for what no random pair showed: half a pair among those looked at."""
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                level.setdefault("u_probability", 0.5 / _MAX_PAIRS)
    return model


def _blocking() -> list[Any]:
    """Which pairs are looked at at all: few enough to finish, with every kind of slip covered."""
    from splink import block_on

    return [
        block_on("mailbox"),  # a slip in the domain or the company
        block_on("domain", "mailbox_start"),  # a slip late in the mailbox
        block_on("domain", "mailbox_end"),  # a slip early in the mailbox
        block_on("company", "mailbox_start"),  # slips in the mailbox and the domain
        block_on("company", "mailbox_end"),
    ]


def _settings(count: int) -> Any:
    """What is compared, how nearly, and how often the records of one person agree so (`m`).

    The figures are those of hand-typed e-mails and company names: most slips are one character.
    Measured in tests/integration/test_identity_matching.py; docs/identity.md has the table.
    """
    import splink.comparison_level_library as levels
    import splink.comparison_library as comparisons
    from splink import SettingsCreator

    mailbox = comparisons.CustomComparison(
        output_column_name="mailbox",
        comparison_levels=[
            levels.NullLevel("mailbox"),
            levels.ExactMatchLevel("mailbox").configure(m_probability=0.40),
            levels.DamerauLevenshteinLevel("mailbox", 1).configure(m_probability=0.40),
            levels.DamerauLevenshteinLevel("mailbox", 2).configure(m_probability=0.08),
            levels.JaroWinklerLevel("mailbox", 0.92).configure(m_probability=0.07),
            levels.ElseLevel().configure(m_probability=0.05),
        ],
    )
    # Domain and company say the same thing, so they are one field: who employs the person.
    employer = comparisons.CustomComparison(
        output_column_name="employer",
        comparison_levels=[
            levels.CustomLevel(
                "(domain_l is null or domain_r is null)"
                " and (company_l is null or company_r is null)",
                label_for_charts="unknown",
            ).configure(is_null_level=True),
            levels.CustomLevel(
                "domain_l = domain_r and company_l = company_r", label_for_charts="both"
            ).configure(m_probability=0.40),
            levels.CustomLevel(
                "domain_l = domain_r or company_l = company_r", label_for_charts="one of them"
            ).configure(m_probability=0.45),
            levels.CustomLevel(
                "damerau_levenshtein(domain_l, domain_r) <= 2"
                " or damerau_levenshtein(company_l, company_r) <= 2",
                label_for_charts="nearly one of them",
            ).configure(m_probability=0.10),
            levels.ElseLevel().configure(m_probability=0.05),
        ],
    )
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[mailbox, employer],
        blocking_rules_to_generate_predictions=_blocking(),
        probability_two_random_records_match=min(0.5, 2 * _SHARE / max(count - 1, 1)),
    )


def _merges(entity: str, pairs: Sequence[Pair]) -> list[Suggestion]:
    """Pairs as merges into one record of each group: the first in order of ids."""
    leader: dict[str, str] = {}

    def root(record: str) -> str:
        while leader.setdefault(record, record) != record:
            leader[record] = leader[leader[record]]
            record = leader[record]
        return record

    best: dict[str, float] = {}
    for left, right, chance in pairs:
        for record in (left, right):
            best[record] = max(chance, best.get(record, 0.0))
        first, second = sorted((root(left), root(right)))
        leader[second] = first
    return [
        Suggestion(entity, record, root(record), best[record])
        for record in sorted(leader)
        if root(record) != record
    ]
