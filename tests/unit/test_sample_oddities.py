"""What is strange in the sample company is there when asked for, and can be solved."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from orchestration.lib.sample import ERRORS, CompanySpec, Oddities, Truth, generate
from orchestration.lib.sources.config import load_sources
from tests.unit.test_sample import read

EVERY = Oddities(**{each.name: each.name not in ERRORS for each in fields(Oddities)})
#: Fewer leads would leave some of the rarer oddities out.
SPEC = CompanySpec(seed=5, leads=1200, months=4, oddities=EVERY)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """A company with every oddity that is no error."""
    return generate(SPEC, tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """The same company with none."""
    spec = CompanySpec(seed=5, leads=1200, months=4, oddities=Oddities.none())
    return generate(spec, tmp_path_factory.mktemp("plain"))


#: What each oddity leaves in the files.
TRACES = {
    "stated_merges": "from merges where entity = 'lead'",
    "merged_contacts": "from merges where entity = 'contact'",
    "merged_opportunities": "from merges where entity = 'opportunity'",
    "left_out_leads": "from leads where utm_source = 'crawler' or company like 'Sparrowhawk%'",
    "odd_mailboxes": "from leads where email like 'info@%'",
    "tagged addresses": "from leads where email like '%+news@%'",
    "renewals": "from opportunities where kind is not null",
    "cloned_deals": "from opportunities where opportunity_id like '%B'",
    "shared_deals": "from (select distinct lead_id, converted_opportunity_id "
    "from leads where converted_opportunity_id is not null) "
    "group by converted_opportunity_id having count(*) > 1",
    "contact_roles": "from contact_roles where not is_primary",
    "touches of colleagues": "from touches where lead_id is null and email in (select email from "
    "contacts where contact_id in (select contact_id from contact_roles where not is_primary))",
    "deal_edits": "from opportunity_events where owner is not null",
    "amounts_unknown": "from opportunity_events where amount is null",
    "campaign_names": "from campaign_names",
    "a renamed campaign": "from spend where campaign like '% - Relaunch'",
    "only utm_source": "from leads where source is null and campaign is null "
    "and utm_source is not null",
    "ad_level_spend": "from spend where level = 'ad'",
    "invoices": "from invoices",
}


@pytest.mark.parametrize("oddity", TRACES)
def test_oddities_are_there_when_asked_for(odd: Truth, plain: Truth, oddity: str) -> None:
    query = f"select count(*) from (select 1 {TRACES[oddity]})"
    assert read(odd, query)[0][0] > 0
    assert read(plain, query) == [(0,)]


def test_a_campaign_that_is_renamed_keeps_its_key(odd: Truth) -> None:
    """The new name is in spend alone, from its day on, and `campaign_names` says what it means."""
    assert read(
        odd,
        "select count(*) from spend left join campaign_names as names "
        "on spend.source = names.source and spend.campaign = names.campaign "
        "and spend.day >= names.valid_from "
        "left join campaigns on spend.source = campaigns.source "
        "and coalesce(names.means_campaign, spend.campaign) = campaigns.campaign "
        "where spend.campaign is not null and campaigns.campaign is null",
    ) == [(0,)]
    assert read(
        odd,
        "select count(*) from leads where campaign like '%Relaunch%' "
        "or utm_campaign like '%Relaunch%'",
    ) == [(0,)]


def test_ads_are_a_part_of_their_campaign(odd: Truth) -> None:
    """Every reading of a day has its ads, and they never explain all of it."""
    assert read(
        odd,
        "with sums as (select source, campaign, day, loaded_at, "
        "sum(cost) filter (level = 'ad') as ads, sum(cost) filter (level is null) as whole "
        "from spend where kind = 'media' group by all) "
        "select count(*) filter (ads is not null) > 100, count(*) filter (ads >= whole), "
        "count(distinct campaign) filter (ads is not null) from sums",
    )[0][:2] == (True, 0)
    assert read(
        odd,
        "select (select sum(cost) from control_totals) * 100 = (select sum(cost_minor) "
        "from true_spend)",
    ) == [(True,)]


def test_invoices_are_the_control_totals_of_settled_months(odd: Truth) -> None:
    """Media and credit notes to the cent; fees and tax are no advertising."""
    assert read(
        odd,
        "with billed as (select source, account, month, currency, sum(amount) as amount "
        "from invoices where coalesce(kind, 'media') in ('media', 'credit') group by all) "
        "select count(*), count(*) filter (amount <> cost), min(billed.month), max(billed.month) "
        "from billed join control_totals using (source, account, month, currency)",
    )[0][1:2] == (0,)
    assert read(odd, "select count(distinct month), count(*) filter (kind = 'tax') > 0 "
                "from invoices") == [(3, True)]  # fmt: skip
    assert read(
        odd,
        "select count(*) from control_totals anti join invoices using (source, account, month, "
        "currency) where month < '2026-06-01' and account not in ('Agency fee', 'Tools')",
    ) == [(0,)]


def test_a_deal_is_what_its_last_change_says(odd: Truth) -> None:
    assert read(
        odd,
        "with last as (from opportunity_events qualify row_number() over "
        "(partition by opportunity_id order by occurred_at desc) = 1), "
        "owners as (select opportunity_id, max_by(owner, occurred_at) as owner "
        "from opportunity_events where owner is not null group by all) "
        "select count(*) from opportunities as o join last using (opportunity_id) "
        "join owners using (opportunity_id) "
        "where (o.amount, o.close_date, o.stage, o.owner) "
        "is distinct from (last.amount, last.close_date, last.stage, owners.owner)",
    ) == [(0,)]


def test_truth_follows_a_deal_through_its_changes(odd: Truth) -> None:
    """Its first state is what it was opened with, its last what it is today."""
    assert (
        read(
            odd,
            "with states as (select opportunity_id, "
            "first(amount_minor order by version_number) as opened, "
            "last(amount_minor order by version_number) as now, "
            "last(stage order by version_number) as stage, min(valid_from) as since "
            "from true_opportunity_state group by all) "
            "select count(*), count(*) filter ((opened, now, states.stage, since) is distinct from "
            "(opened_amount_minor, amount_minor, o.stage, created_at)) "
            "from true_opportunity as o left join states using (opportunity_id) "
            "where disposition = 'kept'",
        )[0][1]
        == 0
    )
    assert read(
        odd,
        "select count(*) filter (opened_amount_minor is null) > 0, "
        "count(*) filter (opened_amount_minor <> amount_minor) > 10 from true_opportunity",
    ) == [(True, True)]


def test_two_leads_of_one_deal_do_not_double_it(odd: Truth) -> None:
    assert read(
        odd,
        "select count(*) = count(distinct opportunity_id) from opportunities",
    ) == [(True,)]
    found = read(
        odd,
        "select count(*), count(distinct opportunity_id), bool_and(is_sql), "
        "bool_and(is_opportunity or is_deleted) from true_lead "
        "join true_opportunity using (opportunity_id) "
        "where true_lead.lead_id like '%B' and true_lead.disposition = 'kept'",
    )[0]
    assert found[0] == found[1] > 0 and found[2:] == (True, True)


def test_what_was_merged_leads_to_what_was_kept(odd: Truth) -> None:
    """Each merge is stated once, before as_of, and its survivor is delivered."""
    assert read(
        odd,
        "select count(*) from merges where merged_at > '2026-07-01 12:00' "
        "or (entity, merged_into) not in (select ('lead', lead_id) from true_lead "
        "where disposition = 'kept' union all select ('contact', contact_id) from contacts "
        "union all select ('opportunity', opportunity_id) from true_opportunity)",
    ) == [(0,)]
    assert read(
        odd,
        "select count(*) filter (merged_into is not null and record_id is not null), "
        "count(*) filter (merged_into is null and record_id is null) from true_lead "
        "join (select distinct lead_id, merged_into from leads) using (lead_id) "
        "left join (select record_id from merges where entity = 'lead') on record_id = lead_id "
        "where disposition = 'merged'",
    ) == [(0, 0)]
    assert read(
        odd,
        "select list_sort(list(opportunity_id)) = (select list_sort(list(record_id)) from merges "
        "where entity = 'opportunity') from true_opportunity where disposition = 'merged'",
    ) == [(True,)]


def test_the_rules_of_sources_yml_catch_whom_truth_leaves_out(odd: Truth) -> None:
    rules = load_sources(odd.sources).company.leave_out
    assert {(each.name, each.entity) for each in rules} == {
        ("bots", "leads"),
        ("bots by domain", "leads"),
        ("touches of bots", "touches"),
        ("competitors", "leads"),
    }
    conditions = []
    for rule in (each for each in rules if each.entity == "leads"):
        column = "split_part(email, '@', 2)" if rule.column == "email_domain" else rule.column
        conditions += [f"{column} = '{word}'" for word in rule.equals]
        conditions += [f"starts_with({column}, '{word}')" for word in rule.starts_with]
    assert read(
        odd,
        f"select count(*) filter (reason in ('bots', 'competitors')) > 5, "
        f"count(*) filter (({' or '.join(f'coalesce({each}, false)' for each in conditions)}) "
        "<> coalesce(reason in ('bots', 'competitors'), false)) "
        "from leads join true_lead using (lead_id)",
    ) == [(True, 0)]
    assert read(
        odd,
        "select count(*) > 0 and bool_and(reason = 'bots') from touches "
        "join true_lead using (lead_id) where utm_source = 'crawler'",
    ) == [(True,)]


def test_departments_do_not_count_what_the_books_leave_out(odd: Truth) -> None:
    """Law B7 can hold: bots, second records and renewals are in no claim."""
    leads = "select value::bigint from claims where metric = 'leads' order by period_start"
    assert (
        sum(row[0] for row in read(odd, leads))
        == read(
            odd,
            "select count(*) from true_lead "
            "where coalesce(reason, '') not in ('bots', 'competitors')",
        )[0][0]
    )


def test_pipeline_and_bookings_are_those_of_kept_new_deals(tmp_path: Path) -> None:
    """In one currency no rate is in the way: each claim is a sum over the truth."""
    spec = CompanySpec(seed=6, leads=1200, months=3, currencies=("USD",), oddities=EVERY)
    truth = generate(spec, tmp_path)
    claimed = "select sum(value * 100)::bigint from claims where metric = '{}'"
    assert read(truth, claimed.format("pipeline")) == read(
        truth,
        "select sum(coalesce(opened_amount_minor, amount_minor))::bigint from true_opportunity "
        "where disposition = 'kept' and kind = 'new' and created_at < '2026-07-01 04:00'",
    )
    assert read(truth, claimed.format("bookings")) == read(
        truth,
        "select sum(amount_minor)::bigint from true_opportunity join (select opportunity_id, "
        "max(valid_from) as won_at from true_opportunity_state where stage = 'won' group by all) "
        "using (opportunity_id) where is_won and kind = 'new' and won_at < '2026-07-01 04:00'",
    )


def test_an_address_tells_a_person_unless_it_is_shared(odd: Truth) -> None:
    """Without case and tags one person has one address, and one address is one person's."""
    addresses = (
        "with addresses as (select record_id, person, has_shared_mailbox, "
        "regexp_replace(lower(email), '[+][^@]*@', '@') as address from ("
        "select 'lead' as entity, lead_id as record_id, email from leads where not is_test "
        "union all select 'contact', contact_id, email from contacts) "
        "join true_person using (entity, record_id)) "
    )
    assert read(
        odd,
        addresses + "select count(*) from (select 1 from addresses where not has_shared_mailbox "
        "group by address having count(distinct person) > 1 "
        "union all select 1 from addresses group by person having count(distinct address) > 1)",
    ) == [(0,)]
    assert read(
        odd,
        addresses + "select count(*) > 0 from addresses where address like 'info@%' "
        "and has_shared_mailbox",
    ) == [(True,)]


@pytest.mark.parametrize("currencies", [("JPY", "KWD"), ("KWD", "JPY"), ("USD", "JPY")])
def test_money_has_the_digits_of_its_currency(tmp_path: Path, currencies: tuple[str, ...]) -> None:
    spec = CompanySpec(leads=150, months=2, campaigns=4, currencies=currencies, oddities=EVERY)
    truth = generate(spec, tmp_path)
    digits = {"USD": 2, "JPY": 0, "KWD": 3}
    for code in currencies:
        for table, column in (("spend", "cost"), ("opportunities", "amount"), ("revenue", "amount"),
                              ("invoices", "amount"), ("claims", "value")):  # fmt: skip
            assert read(
                truth,
                f"select count(*) from {table} where currency = '{code}' "
                f"and {column} <> round({column}, {digits[code]})",
            ) == [(0,)], table
        assert read(
            truth,
            f"select (select sum(cost) from control_totals where currency = '{code}') "
            f"* {10 ** digits[code]} = (select sum(cost_minor) from true_spend "
            f"where currency = '{code}')",
        ) == [(True,)]
    home = currencies[0]
    claimed = read(truth, "select sum(value) from claims where metric = 'spend'")[0][0]
    exact = read(truth, "select sum(reporting_minor_exact) from true_spend where month in "
                 "(select period_start from claims)")[0][0]  # fmt: skip
    assert abs(claimed * 10 ** digits[home] - exact) < 300


def test_rates_stay_positive_for_small_currencies(tmp_path: Path) -> None:
    truth = generate(CompanySpec(leads=10, months=6, currencies=("USD", "JPY")), tmp_path)
    (least, most) = read(truth, "select min(rate), max(rate) from fx_rates")[0]
    assert 0 < least < most < 2 * least
