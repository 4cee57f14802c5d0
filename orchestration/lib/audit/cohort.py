"""What the pack of one alarm says: its cohort, lead by lead, and the sums over it.

Belongs here: the queries, over the published tables alone. Does not belong here: how people see
them (`page`), where they are put (`pack`).

The cohort is whoever entered the alarm's first stage in its period, of the campaigns that its scope
counts. Whoever skipped that stage never waited in it: no hours. Hours are elapsed hours, but for
the handoff's own, which go by the plan's clock (`rpt_handoff__lead`); only they have agreed hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from orchestration.lib.audit.alarms import Alarm, rows

if TYPE_CHECKING:
    import duckdb

Rows = list[dict[str, Any]]

#: When a lead first entered a stage, or skipped it: the published column.
_FIRST_AT = {
    "lead": "created_at",
    "mql": "first_mql_at",
    "sal": "first_sal_at",
    "sql": "first_sql_at",
    "opportunity": "first_opportunity_at",
}


@dataclass(frozen=True)
class Table:
    """One table of the pack: what people are told of it, and the query that gives it in order.

    Rows are read where they are needed: the leads of a large company stay in DuckDB until they are
    written.
    """

    name: str
    title: str
    text: str
    connection: duckdb.DuckDBPyConnection
    query: str
    values: dict[str, Any] | None = None

    def rows(self, at_most: int | None = None) -> Rows:
        """The first rows, or all of them."""
        limit = "" if at_most is None else f" limit {at_most}"
        return rows(self.connection, f"select * from ({self.query}){limit}", self.values)

    def batches(self, size: int = 10_000) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        """Column names with some of the rows, until there are no more; at least once."""
        cursor = self.connection.execute(self.query, self.values)
        names = [column[0] for column in cursor.description or ()]
        batch = cursor.fetchmany(size)
        while True:
            yield names, batch
            if len(batch) < size:
                return
            batch = cursor.fetchmany(size)

    def count(self) -> int:
        """How many rows there are."""
        (found,) = rows(
            self.connection, f"select count(*) as found from ({self.query})", self.values
        )
        return int(found["found"])


@dataclass(frozen=True)
class Cohort:
    """Everything that a pack says; `as_of` is UTC without a zone."""

    alarm: Alarm
    company: str
    time_zone: str
    as_of: datetime
    leads: int
    accepted: int
    waiting: int
    breaches: int
    sla_hours: int | None
    sla_clock: str | None
    amount_minor: int
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)


def read_cohort(connection: duckdb.DuckDBPyConnection, alarm: Alarm) -> Cohort:
    """The cohort of an alarm; `alarms.read_alarms` was called on this connection before."""
    (run,) = rows(connection, "select company, time_zone, as_of, as_of_date from audit.run")
    _create_cohort(connection, alarm, run)
    (total,) = rows(
        connection,
        """
        select
            count(*)::bigint as leads,
            count(*) filter (where outcome = 'accepted')::bigint as accepted,
            count(*) filter (where outcome = 'waiting')::bigint as waiting,
            count(*) filter (where is_sla_breach)::bigint as breaches,
            max(sla_hours)::bigint as sla_hours,
            max(sla_clock) as sla_clock,
            coalesce(sum(amount_minor), 0)::bigint as amount_minor
        from cohort
        """,
    )
    return Cohort(
        alarm=alarm,
        company=run["company"],
        time_zone=run["time_zone"],
        as_of=run["as_of"],
        tables=tuple(_tables(connection, alarm, run["as_of_date"])),
        **total,
    )


def _create_cohort(
    connection: duckdb.DuckDBPyConnection, alarm: Alarm, run: dict[str, Any]
) -> None:
    """The temporary tables `stay` (one row per lead and entry) and `cohort` (one row per lead)."""
    assert alarm.from_stage is not None and alarm.to_stage is not None  # noqa: S101 - read_alarms
    entered, converted = _FIRST_AT[alarm.from_stage], _FIRST_AT[alarm.to_stage]
    connection.execute(
        f"""
        create or replace temp table member as
        select fct_lead.*, fct_lead.{entered} as entered_at, fct_lead.{converted} as converted_at
        from fct_lead
        inner join scope_member on fct_lead.campaign_key = scope_member.campaign_key
        where
            scope_member.scope = $scope
            and cast(timezone($zone, timezone('UTC', fct_lead.{entered})) as date)
            between $start and $last
        """,
        {
            "scope": alarm.scope,
            "zone": run["time_zone"],
            "start": alarm.period_start_date,
            "last": date.fromordinal(alarm.period_end_date.toordinal() - 1),
        },
    )
    connection.execute(
        """
        create or replace temp table stay as
        select
            intervals.*,
            round(date_diff('second', entered_at, coalesce(left_at, $as_of)) / 3600, 1)
            ::decimal(18, 1) as hours
        from fct_lead_stage__interval as intervals
        where lead_id in (select lead_id from member)
        """,
        {"as_of": run["as_of"]},
    )
    connection.execute(
        """
        create or replace temp table cohort as

        with

        wait as (

            select * from stay
            where stage = $from_stage
            qualify row_number() over (partition by lead_id order by entry_number) = 1

        ),

        ending as (

            select * from stay
            qualify row_number() over (partition by lead_id order by entry_number desc) = 1

        ),

        -- What a lead that came and left again at once costs nobody is zero, not unknown.
        share as (

            select
                lead_id,
                sum(case when from_stage = 'in_market' then amount_minor else 0 end)
                - sum(case when to_stage = 'in_market' then amount_minor else 0 end) as amount_minor
            from fct_dollar_journal__entry
            where lead_id in (select lead_id from member)
            group by lead_id

        )

        select
            member.lead_id,
            dim_campaign.campaign_key as campaign,
            dim_campaign.channel,
            dim_campaign.segment,
            trail.marketing_owner,
            coalesce(trail.handed_over_by, wait.actor) as handed_over_by,
            member.owner as assigned_to,
            case
                when member.converted_at is not null then 'accepted'
                when dim_stage.kind = 'exit' then member.stage
                else 'waiting'
            end as outcome,
            case when dim_stage.kind = 'exit' and member.converted_at is null then ending.reason end
            as reason,
            case
                when member.converted_at is not null or dim_stage.kind = 'exit'
                    then coalesce(decision.actor, ending.actor, member.owner)
            end as decided_by,
            member.stage as stands_in,
            wait.hours as hours_waited,
            trail.response_hours as hours_to_first_touch,
            coalesce(trail.handoff_business_hours, trail.handoff_hours) as handoff_hours,
            trail.sla_hours,
            trail.clock as sla_clock,
            coalesce(trail.sla_status = 'late', false) as is_sla_breach,
            coalesce(share.amount_minor, 0)::bigint as amount_minor,
            member.created_at,
            assigned.assigned_at,
            member.entered_at,
            coalesce(trail.first_response_at, case when $from_stage <> 'mql' then wait.left_at end)
            as first_touched_at,
            case
                when member.converted_at is not null then member.converted_at
                when dim_stage.kind = 'exit' then member.stage_entered_at
            end as decided_at
        from member
        inner join dim_stage on member.stage = dim_stage.stage
        inner join dim_campaign on member.campaign_key = dim_campaign.campaign_key
        inner join ending on member.lead_id = ending.lead_id
        left join wait on member.lead_id = wait.lead_id
        left join stay as decision
            on member.lead_id = decision.lead_id and decision.stage = $to_stage
            and decision.entered_at = member.converted_at
        left join share on member.lead_id = share.lead_id
        left join rpt_handoff__lead as assigned on member.lead_id = assigned.lead_id
        -- Its hours are those of the handoff from mql; of another transition they say nothing.
        left join rpt_handoff__lead as trail
            on member.lead_id = trail.lead_id and $from_stage = 'mql'
        """,
        {"from_stage": alarm.from_stage, "to_stage": alarm.to_stage},
    )


def _tables(
    connection: duckdb.DuckDBPyConnection, alarm: Alarm, as_of_date: date
) -> Iterator[Table]:
    def table(
        name: str, title: str, text: str, query: str, values: dict[str, Any] | None = None
    ) -> Table:
        return Table(name, title, text, connection, query, values)

    yield table(
        "outcomes",
        "What became of them",
        "Leads of the cohort by outcome and reason.",
        """
        select outcome, reason, count(*)::bigint as leads,
            sum(amount_minor)::bigint as amount_minor
        from cohort
        group by outcome, reason
        order by outcome <> 'accepted', leads desc, outcome, reason
        """,
    )
    yield table(
        "by_owner",
        "By owner, on both sides",
        "On marketing's side whoever answers for the campaign's leads by the plan, on sales' whom"
        " they are assigned to.",
        _by_owner(),
    )
    yield table(
        "by_owner_reason",
        "Rejections by reason and owner",
        "Leads that did not go on: whose they were, who decided, and why.",
        """
        select coalesce(marketing_owner, handed_over_by) as marketing_owner, decided_by,
            outcome, reason, count(*)::bigint as leads
        from cohort
        where outcome not in ('accepted', 'waiting')
        group by all
        order by leads desc, outcome, reason, decided_by, marketing_owner
        """,
    )
    yield table(
        "by_campaign",
        "By campaign",
        "Where the leads came from.",
        """
        select campaign, count(*)::bigint as leads,
            count(*) filter (where outcome = 'accepted')::bigint as accepted,
            count(*) filter (where outcome not in ('accepted', 'waiting'))::bigint as lost,
            count(*) filter (where outcome = 'waiting')::bigint as waiting,
            sum(amount_minor)::bigint as amount_minor
        from cohort
        group by campaign
        order by leads desc, campaign
        """,
    )
    yield table(
        "dollars_by_stage",
        "Dollars of these leads, by the stage they stand in",
        "Each lead's share of its cohort's spend, as the dollar journal has it.",
        """
        select cohort.stands_in as stage, count(*)::bigint as leads,
            sum(cohort.amount_minor)::bigint as amount_minor
        from cohort
        inner join dim_stage on cohort.stands_in = dim_stage.stage
        group by cohort.stands_in, dim_stage.ordinal
        order by dim_stage.ordinal
        """,
    )
    yield table(
        "campaign_dollars_by_stage",
        "All dollars of the campaigns' cohorts of the period",
        "Also what no lead holds, and leads that never came this far.",
        """
        select balance.stage, sum(balance.leads)::bigint as leads,
            sum(balance.amount_minor)::bigint as amount_minor
        from rpt_stage_balance__campaign_cohort as balance
        inner join scope_member on balance.campaign_key = scope_member.campaign_key
        where
            scope_member.scope = $scope
            and balance.cohort_start_date >= $start and balance.cohort_start_date < $end
            and balance.stage <> 'funding'
        group by balance.stage, balance.stage_ordinal
        order by balance.stage_ordinal
        """,
        {"scope": alarm.scope, "start": alarm.period_start_date, "end": alarm.period_end_date},
    )
    yield table(
        "timeline",
        "Day by day",
        "Leads that entered, were accepted and were lost, and the spend of the scope.",
        _TIMELINE,
        {
            "start": alarm.period_start_date,
            # Leads of the period's last days are decided after it.
            "until": min(as_of_date, date.fromordinal(alarm.period_end_date.toordinal() + 30)),
            "scope": alarm.scope,
            "alarmed_at": alarm.alarmed_at,
        },
    )
    yield table(
        "sla_breaches",
        "Waited longer than agreed",
        "Leads that left mql later than the plan's hours allow, or still wait beyond them.",
        """
        select lead_id, campaign, assigned_to, outcome, handoff_hours, sla_hours, entered_at,
            first_touched_at, decided_at
        from cohort
        where is_sla_breach
        order by entered_at, lead_id
        """,
    )
    yield table(
        "leads",
        "Every lead",
        "One row per lead: its trail, and the hours it spent in each stage.",
        _leads(connection),
    )
    yield table(
        "lead_stages",
        "Every lead, stage by stage",
        "One row per lead and entry into a stage.",
        """
        select lead_id, entry_number, from_stage, stage, raw_status, actor, reason, hours,
            is_time_estimated, entered_at, left_at
        from stay
        order by lead_id, entry_number
        """,
    )
    yield table(
        "handoff_trail",
        "The handoff of each lead",
        "As rpt_handoff__lead has it, column by column.",
        """
        select * from rpt_handoff__lead
        where lead_id in (select lead_id from cohort)
        order by lead_id
        """,
    )


def _by_owner() -> str:
    """One row per side and owner; the same figures for both sides."""

    def side(name: str, column: str) -> str:
        return f"""
            select
                '{name}' as side,
                coalesce({column}, '(nobody named)') as owner,
                count(*)::bigint as leads,
                count(*) filter (where outcome = 'accepted')::bigint as accepted,
                count(*) filter (where outcome not in ('accepted', 'waiting'))::bigint as lost,
                count(*) filter (where outcome = 'waiting')::bigint as waiting,
                count(*) filter (where is_sla_breach)::bigint as sla_breaches,
                quantile_disc(hours_waited, 0.5) as median_hours_waited,
                quantile_disc(hours_to_first_touch, 0.5) as median_hours_to_first_touch
            from cohort
            group by all
        """

    return f"""
        {side("marketing", "coalesce(marketing_owner, handed_over_by)")}
        union all
        {side("sales", "assigned_to")}
        order by side, leads desc, owner
    """


def _leads(connection: duckdb.DuckDBPyConnection) -> str:
    """The cohort, with the hours in each stage that anybody of it was in."""
    stages = [
        row["stage"]
        for row in rows(
            connection,
            "select stage from dim_stage where stage in (select stage from stay) order by ordinal",
        )
    ]
    hours = ", ".join(
        f"sum(hours) filter (where stage = '{stage}') as hours_in_{stage}" for stage in stages
    )
    return f"""
        select cohort.*, spent.* exclude (lead_id)
        from cohort
        inner join (select lead_id, {hours} from stay group by lead_id) as spent
            on cohort.lead_id = spent.lead_id
        order by cohort.entered_at, cohort.lead_id
    """


_TIMELINE = """
    with

    run as (select time_zone from audit.run),

    days as (

        select unnest(generate_series($start::timestamp, $until::timestamp, interval 1 day))
        ::date as day

    ),

    moves as (

        select timezone(time_zone, timezone('UTC', entered_at))::date as day, 'entered' as move
        from cohort, run
        union all
        select
            timezone(time_zone, timezone('UTC', decided_at))::date as day,
            case when outcome = 'accepted' then 'accepted' else 'lost' end as move
        from cohort, run
        where decided_at is not null

    ),

    spend as (

        select spend.spend_date as day, sum(spend.amount_minor)::bigint as spend_minor
        from fct_spend__campaign_daily as spend
        inner join scope_member on spend.campaign_key = scope_member.campaign_key
        where scope_member.scope = $scope
        group by spend.spend_date

    ),

    daily as (

        select
            days.day,
            count(*) filter (where moves.move = 'entered')::bigint as entered,
            count(*) filter (where moves.move = 'accepted')::bigint as accepted,
            count(*) filter (where moves.move = 'lost')::bigint as lost
        from days
        left join moves on days.day = moves.day
        group by days.day

    )

    select
        daily.day,
        daily.entered,
        daily.accepted,
        daily.lost,
        coalesce(spend.spend_minor, 0)::bigint as spend_minor,
        sum(daily.entered) over (order by daily.day)::bigint as entered_so_far,
        sum(daily.accepted) over (order by daily.day)::bigint as accepted_so_far,
        sum(daily.lost) over (order by daily.day)::bigint as lost_so_far,
        sum(coalesce(spend.spend_minor, 0)) over (order by daily.day)::bigint
        as spend_so_far_minor,
        daily.day = timezone(run.time_zone, timezone('UTC', $alarmed_at))::date as is_alarm_day
    from daily
    cross join run
    left join spend on daily.day = spend.day
    order by daily.day
"""
