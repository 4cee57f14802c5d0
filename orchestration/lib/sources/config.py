"""sources.yml: the typed settings of a company and of each of its sources.

Belongs here: the models, what is allowed in them, exact errors, and `feed_tables`, which resolves
both adapters to one description of how a table is read (`TableSource`).
Does not belong here: reading data files (`files`, `values`, `orchestration.lib.landing`).
"""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import itertools
import json
import re
import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from orchestration import settings
from orchestration.lib.sources import canonical
from orchestration.lib.sources.located_yaml import Document, Location, YamlError, read

#: Bump when the meaning of a mapping changes: every file is then landed again.
MAPPING_VERSION = 1

Format = Literal["csv", "tsv", "jsonl", "parquet", "excel"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
}
ADAPTERS = ("canonical", "mapped")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)


def did_you_mean(word: str, among: list[str] | tuple[str, ...]) -> str | None:
    """The nearest of the allowed words, compared without case, blanks and underscores."""
    plain = {_plain(name): name for name in reversed(list(among))}
    if _plain(word) in plain:
        return plain[_plain(word)]
    near = difflib.get_close_matches(_plain(word), list(plain), n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).lower()


def _wrong(message: str, *path: str | int) -> PydanticCustomError:
    """An error in our own words; `path` leads on from where pydantic raised it to the key."""
    return PydanticCustomError("tieout", "{message}", {"message": message, "path": path})


def _among(word: str, expected: list[str] | tuple[str, ...]) -> str:
    return f"{_hint(word, expected).rstrip('?')}; expected one of {', '.join(expected)}"


def _hint(word: str, among: list[str] | tuple[str, ...]) -> str:
    near = did_you_mean(word, among)
    return f"; did you mean {near!r}?" if near else ""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration, with its place."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.message}"


class SourcesError(ValueError):
    """The configuration cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class Strict(BaseModel):
    """A mapping whose unknown keys are errors that name the key meant."""

    # An address with a secret in it, written where it may not stand, must not reach a log either.
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            expected = ", ".join(_keys(cls))
            raise _wrong(f"found {_shown(data)}, expected a mapping with the keys {expected}")
        for key in data:
            if key not in _keys(cls):
                raise _wrong(f"unknown key {key!r}{_among(str(key), _keys(cls))}", key)
        return data


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)


def _known_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        near = _hint(value, sorted(zoneinfo.available_timezones()))
        raise _wrong(f"found {value!r}, expected an IANA time zone such as Europe/Berlin{near}")
    return value


def _known_currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise _wrong(f"found {value!r}, expected an ISO 4217 code in capitals such as EUR")
    return value


def _known_table(value: str) -> str:
    if value not in canonical.TABLES:
        raise _wrong(
            f"{value!r} is no canonical table{_among(value, tuple(canonical.TABLES))}", value
        )
    return value


def _one_character(value: str) -> str:
    named = {"\\t": "\t", "tab": "\t"}
    value = named.get(value, value)
    if len(value.encode()) != 1:
        raise _wrong(f"found {value!r}, expected one ASCII character")
    return value


@cache
def known_stages(path: Path = settings.SEEDS / "reference" / "stages.csv") -> tuple[str, ...]:
    """The canonical stages a lead or an opportunity can be in (stages are data, not code)."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            row["stage"] for row in csv.DictReader(file) if row["kind"] in ("funnel", "exit")
        )


class EffectiveStage(Strict):
    """What a raw status means between two days (the first inclusive, the second exclusive)."""

    stage: str
    from_: date | None = Field(None, alias="from")
    to: date | None = None


class Stages(Strict):
    """Raw status to canonical stage, for leads and for opportunities."""

    lead: dict[str, str | list[EffectiveStage]] = Field(default_factory=dict)
    opportunity: dict[str, str | list[EffectiveStage]] = Field(default_factory=dict)

    @field_validator("lead", "opportunity")
    @classmethod
    def _canonical(
        cls, value: dict[str, str | list[EffectiveStage]]
    ) -> dict[str, str | list[EffectiveStage]]:
        stages = known_stages() if value else ()
        for raw, target in value.items():
            meant = [target] if isinstance(target, str) else [entry.stage for entry in target]
            for stage in meant:
                if stage not in stages:
                    known = _among(stage, stages)
                    raise _wrong(f"found {stage!r}, which is no canonical stage{known}", raw)
        return value


class Tolerance(Strict):
    """How many are borne before a law blocks, and why."""

    at_most: int = Field(ge=0)
    reason: str = Field(min_length=1)


class Tolerances(Strict):
    """Per table for quarantined rows and for per cent that it shrinks, per law for its rows."""

    quarantine: dict[str, Tolerance] = Field(default_factory=dict)
    shrink: dict[str, Tolerance] = Field(default_factory=dict)
    laws: dict[str, Tolerance] = Field(default_factory=dict)

    @field_validator("quarantine", "shrink")
    @classmethod
    def _tables(cls, value: dict[str, Tolerance]) -> dict[str, Tolerance]:
        for name in value:
            _known_table(name)
        return value

    @field_validator("laws")
    @classmethod
    def _laws(cls, value: dict[str, Tolerance]) -> dict[str, Tolerance]:
        for law in value:
            if not re.fullmatch(r"[BPG]\d{1,2}", law):
                raise _wrong(f"{law!r} is no law; expected an id such as B8", law)
        return value


class Qualified(Strict):
    """One version of the definition of a qualified lead, in force from its day on."""

    version: str = Field(min_length=1)
    from_: date | None = Field(None, alias="from")
    min_score: int | None = None
    exclude_test: bool = True
    exclude_email_domains: list[str] = Field(default_factory=list)

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON: what both departments sign."""
        body = {
            "version": self.version,
            "from": self.from_.isoformat() if self.from_ else None,
            "min_score": self.min_score,
            "exclude_test": self.exclude_test,
            "exclude_email_domains": sorted(d.lower() for d in self.exclude_email_domains),
        }
        return digest(body)


def digest(body: Any) -> str:
    """SHA-256 of canonical JSON."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class FiscalCalendar(Strict):
    """How days make weeks, months, quarters and years; the calendar's own if nothing is said."""

    week_starts: Weekday = "monday"
    #: First day of one fiscal year, whichever; the others follow from it.
    fiscal_year_starts: date = date(2026, 1, 1)
    months: Literal["calendar", "4-4-5", "4-5-4", "5-4-4"] = "calendar"

    @model_validator(mode="after")
    def _possible(self) -> FiscalCalendar:
        start = self.fiscal_year_starts
        if self.months == "calendar" and start.day != 1:
            raise _wrong(
                f"found {start}, expected the first day of a month: only `months: 4-4-5` and its"
                " kin begin within one",
                "fiscal_year_starts",
            )
        if self.months != "calendar" and WEEKDAYS[start.weekday()] != self.week_starts:
            raise _wrong(
                f"found {start}, a {WEEKDAYS[start.weekday()]}; with `months: {self.months}` a year"
                f" begins with a week, and `week_starts` is {self.week_starts}",
                "fiscal_year_starts",
            )
        return self


class CreditWeights(Strict):
    """What share of an opportunity each milestone touch of a credit model earns, in per cent."""

    first: Decimal = Field(Decimal(0), ge=0, le=100)
    lead: Decimal = Field(Decimal(0), ge=0, le=100)
    opportunity: Decimal = Field(Decimal(0), ge=0, le=100)
    last: Decimal = Field(Decimal(0), ge=0, le=100)
    rest: Decimal = Field(Decimal(0), ge=0, le=100)

    @model_validator(mode="after")
    def _whole(self) -> CreditWeights:
        given = (self.first, self.lead, self.opportunity, self.last, self.rest)
        if sum(given) != 100:
            raise _wrong(f"the weights add up to {sum(given)}, expected 100")
        if any(weight != round(weight, 2) for weight in given):
            raise _wrong("expected at most two digits after the point")
        return self


class Credit(Strict):
    """Whose touches earn credit for an opportunity, how far back, and by what weights."""

    look_back_days: int = Field(180, ge=1)
    unit: Literal["person", "account"] = "person"
    half_life_days: int = Field(7, ge=1)
    #: Other weights for a model that has milestones; the reference table has those of the others.
    weights: dict[str, CreditWeights] = Field(default_factory=dict)

    @field_validator("weights")
    @classmethod
    def _models(cls, value: dict[str, CreditWeights]) -> dict[str, CreditWeights]:
        known = [row["model"] for row in credit_models() if row["family"] == "milestones"]
        for model in value:
            if model not in known:
                raise _wrong(f"{model!r} is no model with weights{_among(model, known)}", model)
        return value


@cache
def credit_models(
    path: Path = settings.SEEDS / "reference" / "credit_models.csv",
) -> tuple[dict[str, str], ...]:
    """The credit models as the reference table has them (weights are data, not code)."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


#: What a rule can look at, by entity.
RULE_COLUMNS: dict[str, tuple[str, ...]] = {
    "leads": ("email", "email_domain", "company", "source", "utm_source", "utm_medium", "owner"),
    "contacts": ("email", "email_domain", "account", "owner"),
    "touches": ("email", "email_domain", "kind", "source", "utm_source", "utm_medium"),
    "opportunities": ("account", "owner", "product", "source"),
}


class LeaveOut(Strict):
    """A rule by which records are left out of the books: tests, staff, bots, competitors."""

    name: str = Field(min_length=1)
    entity: Literal["leads", "contacts", "touches", "opportunities"]
    column: str
    equals: list[str] = Field(default_factory=list)
    starts_with: list[str] = Field(default_factory=list)
    ends_with: list[str] = Field(default_factory=list)
    contains: list[str] = Field(default_factory=list)
    from_: date | None = Field(None, alias="from")
    to: date | None = None

    @model_validator(mode="after")
    def _possible(self) -> LeaveOut:
        columns = RULE_COLUMNS[self.entity]
        if self.column not in columns:
            raise _wrong(
                f"{self.entity} have no column {self.column!r} to go by"
                f"{_among(self.column, columns)}",
                "column",
            )
        if not any(words for _, words in self.conditions):
            raise _wrong("expected one of `equals`, `starts_with`, `ends_with` and `contains`")
        if any(not word.strip() for _, words in self.conditions for word in words):
            raise _wrong("found an empty text, which would leave out every record")
        if self.from_ and self.to and self.to <= self.from_:
            raise _wrong("`to` must be later than `from`", "to")
        return self

    @property
    def conditions(self) -> tuple[tuple[str, list[str]], ...]:
        """Operator and the texts of which one is enough."""
        return (
            ("equals", self.equals),
            ("starts_with", self.starts_with),
            ("ends_with", self.ends_with),
            ("contains", self.contains),
        )


class Company(Strict):
    """Whose books these are and how they are kept."""

    name: str = Field(min_length=1)
    reporting_currency: str
    time_zone: str = "UTC"
    cohort_period: Literal["day", "week", "month", "quarter", "campaign"] = "month"
    no_lead_after_days: int = Field(90, ge=0)
    as_of: datetime | None = None
    #: Folder of the joint plan, relative to sources.yml; the definition of qualified is then its.
    plan: str | None = Field(None, min_length=1)
    qualified: list[Qualified] = Field(default_factory=list)
    calendar: FiscalCalendar = Field(default_factory=lambda: FiscalCalendar.model_validate({}))
    credit: Credit = Field(default_factory=lambda: Credit.model_validate({}))
    leave_out: list[LeaveOut] = Field(default_factory=list)

    _zone = field_validator("time_zone")(_known_zone)
    _currency = field_validator("reporting_currency")(_known_currency)

    @field_validator("qualified")
    @classmethod
    def _in_order(cls, value: list[Qualified]) -> list[Qualified]:
        versions = [entry.version for entry in value]
        starts = [entry.from_ or date.min for entry in value]
        if len(set(versions)) < len(versions):
            raise _wrong("two entries have the same `version`")
        if any(later <= earlier for earlier, later in itertools.pairwise(starts)):
            raise _wrong("each version's `from` must be later than that of the one above it")
        return value

    @field_validator("leave_out")
    @classmethod
    def _one_name_each(cls, value: list[LeaveOut]) -> list[LeaveOut]:
        # A name may stand for several columns, and for several versions one after the other.
        names = [(rule.name, rule.entity, rule.column, rule.from_) for rule in value]
        if len(set(names)) < len(names):
            raise _wrong("two rules have the same `name`, `entity`, `column` and `from`")
        return value

    @model_validator(mode="after")
    def _one_definition(self) -> Company:
        if self.plan is not None and self.qualified:
            raise _wrong(
                "found a definition of qualified beside `plan`, expected one of them: with a plan"
                " the definition is the one that both departments signed; delete it here",
                "qualified",
            )
        cut = sorted(self.calendar.model_fields_set - {"week_starts"})
        if self.plan is not None and cut:
            raise _wrong(
                f"found `{cut[0]}` beside `plan`, expected only `week_starts`: with a plan the"
                " fiscal year is the one of its sheet `plan`; delete it here",
                "calendar", cut[0],
            )  # fmt: skip
        return self

    @property
    def definitions(self) -> list[Qualified]:
        """The versions of the definition of qualified; one without conditions if none is given."""
        return self.qualified or [Qualified.model_validate({"version": "default"})]


def _none_is_empty(value: Any) -> Any:
    """In a list of texts that mean null, an empty item is the empty text."""
    return ["" if item is None else item for item in value] if isinstance(value, list) else value


class LookupFile(Strict):
    """Another file of the feed that says what a text stands for: `key` is found, `value` taken.

    Read like the files of the table it serves (delimiter, quote, encoding, empty cells), in the
    format its suffix names.
    """

    file: str = Field(min_length=1)
    key: str = Field(min_length=1)
    value: str = Field(min_length=1)


class ColumnSpec(Strict):
    """How one canonical column is read; a plain text stands for `{column: that text}`."""

    column: str | None = None
    constant: str | None = None
    format: str | None = None
    time_zone: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    symbols: list[str] = Field(default_factory=list)
    suffixes: dict[str, int] = Field(default_factory=dict)
    scale: Literal["units", "cents", "micros"] = "units"
    lookup: dict[str, str] = Field(default_factory=dict)
    lookup_file: LookupFile | None = None
    #: What becomes of a text that the lookup does not have.
    otherwise: Literal["keep", "empty", "quarantine"] = "keep"
    trim: bool = True
    case: Literal["keep", "lower", "upper"] = "keep"
    nulls: list[str] | None = None
    true_values: list[str] = Field(default_factory=list)
    false_values: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return None if value is None else _known_zone(value)

    @field_validator("thousands")
    @classmethod
    def _mark(cls, value: str | None) -> str | None:
        if value is not None and value not in (".", ",", " ", "'", "’"):
            raise _wrong(f"found {value!r}, expected a point, a comma, a blank or an apostrophe")
        return value

    @field_validator("nulls", mode="before")
    @classmethod
    def _empty_is_text(cls, value: Any) -> Any:
        return _none_is_empty(value)

    @field_validator("suffixes")
    @classmethod
    def _powers(cls, value: dict[str, int]) -> dict[str, int]:
        for suffix, factor in value.items():
            if factor not in (10, 100, 1_000, 1_000_000, 1_000_000_000):
                raise _wrong(f"found {factor}, expected 1000, 1000000 or 1000000000", suffix)
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSpec:
        if (self.column is None) == (self.constant is None):
            raise _wrong("expected exactly one of `column` (of the file) and `constant`")
        if self.thousands == self.decimal:
            raise _wrong("`decimal` and `thousands` are the same mark; they must differ")
        if self.lookup and self.lookup_file:
            raise _wrong("expected at most one of `lookup` and `lookup_file`", "lookup_file")
        if self.lookup_file and self.column is None:
            raise _wrong("`lookup_file` needs a `column` whose texts are looked up", "lookup_file")
        if self.otherwise != "keep" and not (self.lookup or self.lookup_file):
            raise _wrong(f"`otherwise: {self.otherwise}` needs a `lookup` or a `lookup_file`")
        return self


class Exclusion(Strict):
    """Rows that are left out on purpose; counted under their reason."""

    column: str
    equals: str | None = None
    in_: list[str] | None = Field(None, alias="in")
    is_null: bool = False
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _one_condition(self) -> Exclusion:
        if (self.equals is not None) + (self.in_ is not None) + self.is_null != 1:
            raise _wrong("expected exactly one of `equals`, `in` and `is_null: true`")
        return self


#: Options of `ColumnSpec` by the canonical types for which they mean something.
_OPTIONS_OF: dict[str, set[str]] = {
    "format": {"date", "instant"},
    "time_zone": {"date", "instant"},
    "decimal": {"decimal", "integer"},
    "thousands": {"decimal", "integer"},
    "symbols": {"decimal", "integer"},
    "suffixes": {"decimal", "integer"},
    "scale": {"decimal"},
    "true_values": {"boolean"},
    "false_values": {"boolean"},
}


class MappedTable(Strict):
    """One canonical table read from files of any shape."""

    files: str
    format: Format | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = Field(0, ge=0)
    ragged: Literal["quarantine"] = "quarantine"
    quoted_rows: bool = False
    sheet: str | None = None
    mode: Literal["snapshot", "append"] = "snapshot"
    columns: dict[str, ColumnSpec]
    nulls: list[str] = Field(default_factory=lambda: [""])
    exclude: list[Exclusion] = Field(default_factory=list)

    @field_validator("nulls", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return _none_is_empty(value)

    @field_validator("delimiter", "quote")
    @classmethod
    def _character(cls, value: str | None) -> str | None:
        return None if value is None else _one_character(value)

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError as error:
            raise _wrong(
                f"found {value!r}, expected an encoding such as utf-8, cp1252 or utf-16"
            ) from error


class Feed(Strict):
    """What both adapters share."""

    path: str
    cadence_hours: dict[str, int] = Field(default_factory=dict)
    daily: list[str] = Field(default_factory=list)
    stages: Stages = Field(default_factory=Stages)
    tolerances: Tolerances = Field(default_factory=Tolerances)

    @field_validator("cadence_hours", "daily")
    @classmethod
    def _tables(cls, value: Any) -> Any:
        for name in value:
            _known_table(name)
            if canonical.TABLES[name].time_column is None:
                raise _wrong(f"{name!r} has no column that dates its rows: leave it out", name)
        return value


class CanonicalFeed(Feed):
    """A folder of files named after the canonical tables, with exactly their columns."""

    adapter: Literal["canonical"]


class MappedFeed(Feed):
    """Files of any shape, each column declared."""

    adapter: Literal["mapped"]
    tables: dict[str, MappedTable] = Field(min_length=1)

    @field_validator("tables")
    @classmethod
    def _canonical(cls, value: dict[str, MappedTable]) -> dict[str, MappedTable]:
        for name, mapped in value.items():
            table = canonical.TABLES[_known_table(name)]
            for column, spec in mapped.columns.items():
                _check_column(table, column, spec)
            for needed in table.columns:
                if needed.required and needed.name not in mapped.columns:
                    raise _wrong(
                        f"{name}.{needed.name} ({needed.description}) is required and not mapped;"
                        " add it, from a `column` or as a `constant`",
                        name,
                        "columns",
                    )
        return value


def _check_column(table: canonical.Table, name: str, spec: ColumnSpec) -> None:
    if name not in table.column_names:
        known = _among(name, table.column_names)
        raise _wrong(f"{table.name} has no column {name!r}{known}", table.name, "columns", name)
    kind = table.column(name).type
    for option in sorted(spec.model_fields_set & set(_OPTIONS_OF)):
        if kind not in _OPTIONS_OF[option]:
            raise _wrong(
                f"`{option}` means nothing for {table.name}.{name}, which is {kind}; leave it out",
                table.name,
                "columns",
                name,
                option,
            )


AnyFeed = Annotated[CanonicalFeed | MappedFeed, Field(discriminator="adapter")]


NotifyEvent = Literal["blocked", "failed", "warnings", "alarm", "overdue", "resolved"]
EVENTS: tuple[NotifyEvent, ...] = get_args(NotifyEvent)


class Channel(Strict):
    """Whom to tell: the variable that holds the address, which events, whose moves."""

    url_env: str
    events: list[NotifyEvent] = Field(default_factory=lambda: list(EVENTS), min_length=1)
    #: Persons or departments; empty: everybody's.
    owners: list[str] = Field(default_factory=list)

    @field_validator("url_env")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        # What was found is not shown: it may be the address itself, with its secret.
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise _wrong(
                "expected the name of an environment variable, such as TIEOUT_SALES_CHANNEL; the"
                " address itself holds a secret and does not belong in this file: set the variable"
                " to it where Tieout runs"
            )
        return value


class Notify(Strict):
    """Who is told of what, through which channels."""

    channels: dict[str, Channel] = Field(default_factory=dict)

    @field_validator("channels")
    @classmethod
    def _names(cls, value: dict[str, Channel]) -> dict[str, Channel]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
                raise _wrong(
                    f"{name!r} cannot name a channel: expected small letters, digits, - and _,"
                    " beginning with a letter",
                    name,
                )
        return value


class SourcesFile(Strict):
    """The whole file, checked; `path` is where it was read."""

    version: int
    company: Company
    sources: dict[str, AnyFeed] = Field(min_length=1)
    notify: Notify = Field(default_factory=lambda: Notify.model_validate({}))

    _path: Path = PrivateAttr(default=Path("sources.yml"))
    _document: Document = PrivateAttr(default_factory=lambda: Document(None))

    @field_validator("version")
    @classmethod
    def _version(cls, value: int) -> int:
        if value != 1:
            raise _wrong(f"found {value}, expected 1")
        return value

    @field_validator("sources")
    @classmethod
    def _names(cls, value: dict[str, AnyFeed]) -> dict[str, AnyFeed]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise _wrong(
                    f"{name!r} cannot name a feed: expected small letters, digits and underscores,"
                    " beginning with a letter (it names folders and assets)",
                    name,
                )
        return value

    @property
    def path(self) -> Path:
        """The file itself."""
        return self._path

    def line(self, *location: str | int) -> int:
        """The line of a key of the file."""
        return self._document.line(location)

    def root(self, feed: str) -> Path:
        """The folder of a feed, relative paths seen from sources.yml."""
        return (self._path.parent / Path(self.sources[feed].path).expanduser()).resolve()

    @property
    def plan_root(self) -> Path | None:
        """The folder of the joint plan, a relative path seen from sources.yml; None without one."""
        if self.company.plan is None:
            return None
        return (self._path.parent / Path(self.company.plan).expanduser()).resolve()

    def as_of(self, override: datetime | None = None) -> datetime:
        """The run's as-of instant, in UTC without a zone: the override, the file's, or now."""
        chosen = override or self.company.as_of or datetime.now(UTC)
        return naive_utc(chosen)


def naive_utc(value: datetime) -> datetime:
    """An instant as this project stores it: UTC, no zone attached, to the second."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value


@dataclass(frozen=True)
class TableSource:
    """One (feed, table): everything that is needed to read its files."""

    feed: str
    table: canonical.Table
    root: Path
    patterns: tuple[str, ...]
    mode: Literal["snapshot", "append"] = "snapshot"
    #: None: the adapter `canonical`, where the columns are those of the file.
    columns: dict[str, ColumnSpec] | None = None
    format: Format | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0
    quoted_rows: bool = False
    sheet: str | None = None
    nulls: tuple[str, ...] = ("",)
    exclude: tuple[Exclusion, ...] = ()
    reporting_zone: str = "UTC"
    #: Where it is declared, for errors: "sources.yml:12".
    declared_at: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """(feed, table name)."""
        return self.feed, self.table.name

    def files(self) -> list[Path]:
        """The files that match now, in order of their names."""
        found = {
            path
            for pattern in self.patterns
            for path in self.root.glob(pattern)
            if path.is_file() and not path.name.startswith(".")
        }
        return sorted(found)

    @property
    def lookup_files(self) -> dict[str, LookupFile]:
        """The columns that are looked up in another file, with that file."""
        columns = self.columns or {}
        return {name: spec.lookup_file for name, spec in columns.items() if spec.lookup_file}

    def relative(self, path: Path) -> str:
        """The file's name as lineage and messages show it."""
        return path.relative_to(self.root).as_posix()

    @property
    def mapping_sha256(self) -> str:
        """Changes when, and only when, the same bytes could land differently."""
        columns = None
        if self.columns is not None:
            columns = {
                name: spec.model_dump(exclude_defaults=True) for name, spec in self.columns.items()
            }
        # What a lookup file says is part of the mapping: the same bytes land differently with it.
        lookups = {lookup.file: _bytes_of(self.root / lookup.file)
                   for lookup in self.lookup_files.values()}  # fmt: skip
        return digest(
            {
                **({"lookup_files": lookups} if lookups else {}),
                "version": MAPPING_VERSION,
                "table": [[c.name, c.type, c.required] for c in self.table.columns],
                "columns": columns,
                "options": [
                    self.format,
                    self.delimiter,
                    self.quote,
                    self.encoding,
                    self.skip_lines,
                    self.quoted_rows,
                    self.sheet,
                    list(self.nulls),
                ],
                "exclude": [rule.model_dump() for rule in self.exclude],
                "reporting_zone": self.reporting_zone,
            }
        )


def _bytes_of(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none (reading it says so, with its place)."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_CANONICAL_SUFFIXES = ("csv", "csv.gz", "parquet")


def feed_tables(sources: SourcesFile) -> list[TableSource]:
    """Every (feed, table) of the configuration, both adapters resolved to one description."""
    tables: list[TableSource] = []
    for name, feed in sources.sources.items():
        root = sources.root(name)
        zone = sources.company.time_zone
        if isinstance(feed, MappedFeed):
            for table, mapped in feed.tables.items():
                tables.append(
                    TableSource(
                        feed=name,
                        table=canonical.TABLES[table],
                        root=root,
                        patterns=(mapped.files,),
                        mode=mapped.mode,
                        columns=dict(mapped.columns),
                        format=mapped.format,
                        delimiter=mapped.delimiter,
                        quote=mapped.quote,
                        encoding=mapped.encoding,
                        skip_lines=mapped.skip_lines,
                        quoted_rows=mapped.quoted_rows,
                        sheet=mapped.sheet,
                        nulls=tuple(mapped.nulls),
                        exclude=tuple(mapped.exclude),
                        reporting_zone=zone,
                        declared_at=_place(sources, "sources", name, "tables", table),
                    )
                )
            continue
        for table_name, table_def in canonical.TABLES.items():
            patterns = tuple(
                pattern
                for suffix in _CANONICAL_SUFFIXES
                for pattern in (f"{table_name}.{suffix}", f"{table_name}/*.{suffix}")
            )
            source = TableSource(
                feed=name,
                table=table_def,
                root=root,
                patterns=patterns,
                declared_at=_place(sources, "sources", name),
            )
            if source.files():
                tables.append(source)
    return tables


def _place(sources: SourcesFile, *location: str) -> str:
    return f"{sources.path.name}:{sources.line(*location)}"


def load_sources(path: Path) -> SourcesFile:
    """Read and check a sources.yml; SourcesError lists everything that is wrong with it."""
    shown = str(path)
    if not path.is_file():
        raise SourcesError([Problem(shown, 1, "", "the file does not exist")])
    try:
        document = read(path)
    except YamlError as error:
        raise SourcesError([Problem(shown, error.line, "", str(error))]) from error
    try:
        sources = SourcesFile.model_validate(document.value)
    except ValidationError as error:
        problems = [_problem(shown, document, dict(entry)) for entry in error.errors()]
        problems.sort(key=lambda problem: problem.line)
        raise SourcesError(problems) from error
    sources._path = path.resolve()
    sources._document = document
    if (root := sources.plan_root) is not None and not root.is_dir():
        raise SourcesError(
            [
                Problem(
                    shown,
                    document.line(("company", "plan")),
                    "company.plan",
                    f"found no folder {root}, expected the plan's root (`tieout plan template`"
                    " begins a plan)",
                )
            ]
        )
    return sources


def _problem(file: str, document: Document, error: dict[str, Any]) -> Problem:
    """A pydantic error as file, line, key, what was found and what is expected."""
    context = error.get("ctx", {})
    location = _location(document.value, error["loc"])
    location = (*location, *context.get("path", ()))
    kind, found = error["type"], _shown(error.get("input"))
    if kind == "missing":
        missing = str(error["loc"][-1])
        location = (*location, missing)
        message = f"the key {missing!r} is missing; add it"
    elif kind == "literal_error":
        expected = context["expected"]
        words = re.findall(r"'([^']*)'", expected)
        near = _hint(str(error.get("input")), words)
        message = f"found {found}, expected one of {expected}{near}"
    elif kind in ("union_tag_not_found", "union_tag_invalid"):
        adapter = error["input"].get("adapter") if isinstance(error["input"], dict) else None
        near = _hint(adapter, ADAPTERS) if isinstance(adapter, str) else ""
        location = (*location, "adapter")
        message = f"found {_shown(adapter)}, expected one of {', '.join(ADAPTERS)}{near}"
    elif kind in _EXPECTED:
        message = f"found {found}, expected {_EXPECTED[kind]}"
    elif kind == "tieout":
        message = error["msg"]
    else:
        message = f"found {found}; {error['msg'][:1].lower()}{error['msg'][1:]}"
    key = ".".join(str(part) for part in location)
    return Problem(file, document.line(location), key, message)


_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a mapping (`key: value` lines)",
    "list_type": "a list",
    "date_from_datetime_parsing": "a day such as 2025-01-31",
    "date_parsing": "a day such as 2025-01-31",
    "date_type": "a day such as 2025-01-31",
    "datetime_from_date_parsing": "an instant such as 2025-01-31T23:00:00Z",
    "datetime_parsing": "an instant such as 2025-01-31T23:00:00Z",
    "datetime_type": "an instant such as 2025-01-31T23:00:00Z",
    "string_too_short": "some text",
    "too_short": "at least one entry",
}


def _location(value: Any, parts: tuple[str | int, ...]) -> Location:
    """Pydantic's place without the tags of unions, which are not in the file."""
    location: Location = ()
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        location = (*location, part)
    return location
