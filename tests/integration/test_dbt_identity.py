"""Who is who, whose account, which campaign: hand-worked cases through the whole dbt project.

One small company holds every case; each test reads what became of one of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.lib.sources.config import RULE_COLUMNS
from orchestration.settings import DBT_PROJECT
from tests.integration.dbt_fixture import Warehouse

Row = dict[str, Any]


def lead(lead_id: str, **columns: Any) -> Row:
    usual = {"created_at": "2026-01-05 15:00", "source": "Google Ads", "campaign": "Brand US"}
    return {"lead_id": lead_id} | usual | columns


def contact(contact_id: str, **columns: Any) -> Row:
    return {"contact_id": contact_id, "created_at": "2026-01-02 12:00"} | columns


def deal(opportunity_id: str, **columns: Any) -> Row:
    usual = {"created_at": "2026-02-01", "amount": "100", "currency": "USD", "stage": "Open"}
    return {"opportunity_id": opportunity_id} | usual | columns


def touch(touch_id: str, **columns: Any) -> Row:
    usual = {"occurred_at": "2026-01-04 12:00", "source": "Google Ads", "campaign": "Brand US"}
    return {"touch_id": touch_id} | usual | columns


def merge(entity: str, record_id: str, merged_into: str, merged_at: str | None = None) -> Row:
    return {
        "entity": entity, "record_id": record_id, "merged_into": merged_into, "merged_at": merged_at
    }  # fmt: skip


def spend(campaign: str | None, day: str, cost: str, source: str = "Meta") -> Row:
    return {"source": source, "campaign": campaign, "day": day, "currency": "USD", "cost": cost}


def name(source: str, campaign: str | None, means: tuple[str, str | None], *days: Any) -> Row:
    first, last = (*days, None, None)[:2]
    return {
        "source": source, "campaign": campaign, "means_source": means[0],
        "means_campaign": means[1], "valid_from": first, "valid_to": last,
    }  # fmt: skip


def rule(name: str, entity: str, column: str, operator: str, *texts: str, **days: Any) -> list[Row]:
    return [
        {
            "rule": name, "sha256": name.rjust(64, "0"), "entity": entity, "column_name": column,
            "operator": operator, "text": text, "valid_from": "1900-01-01",
        } | days
        for text in texts
    ]  # fmt: skip


COMPANY: dict[str, list[Row]] = {
    "campaigns": [
        {"source": "Google Ads", "campaign": "Brand US", "channel": "paid_search"},
        {"source": "Meta", "campaign": "Winter Sale"},
        {"source": "Meta", "campaign": "Spring Sale"},
        {"source": "Meta", "campaign": "Never used"},
        {"source": "Referral", "campaign": "Partners"},
    ],
    # Meta's "Sale" meant Winter Sale until the end of February and means Spring Sale from March on;
    # google is how landing pages spell Google Ads; "Old Brand" was renamed there.
    "campaign_names": [
        name("Meta", "Sale", ("Meta", "Winter Sale"), None, "2026-03-01"),
        name("meta", "SALE", ("Meta", "Spring Sale"), "2026-03-01"),
        name("google", None, ("Google Ads", None)),
        name("Google Ads", "Old Brand", ("Google Ads", "Brand US")),
        name("Meta", "Backwards", ("Meta", "Spring Sale"), "2026-03-01", "2026-02-01"),
        name("Meta", "Twice", ("Meta", "Winter Sale"), None, "2026-02-01"),
        name("Meta", "Twice", ("Meta", "Spring Sale"), "2026-01-15"),
    ],
    "spend": [
        spend("Sale", "2026-02-28", "10"),
        spend("Sale", "2026-03-01", "20"),
        spend("brand-us", "2026-01-03", "5", "google ads"),
        spend("Quiet", "2026-01-03", "7"),
        spend(None, "2026-01-03", "3"),
    ],
    "leads": [
        # Merges: a chain of two by two sources of merges, one that is dated, one not yet in force,
        # a circle, one into a record that a CRM has deleted and that was merged on.
        lead("chain 1", merged_into="chain 2", email="first@chain.example"),
        lead("chain 2", email="second@chain.example"),
        lead("chain 3", email="third@chain.example"),
        lead("same e-mail as chain 1", email="First@chain.example"),
        lead("dated", email="dated@x.example"),
        lead("not yet", email="notyet@x.example"),
        lead("circle 1", merged_into="circle 2"),
        lead("circle 2", merged_into="circle 1"),
        lead("over a deleted one", merged_into="deleted by the CRM"),
        lead("into nobody", merged_into="unknown", email="into.nobody@x.example"),
        lead("contradicted", merged_into="chain 3"),
        lead("survivor", email="survivor@x.example"),
        # Persons.
        lead("named contact", contact_id="C1", email="other@address.example"),
        lead("by its e-mail", email=" C1@Acme.Example "),
        lead("plus", email="c1+webinar@acme.example"),
        lead("other e-mail of C1", email="other@address.example"),
        lead("merged contact", contact_id="C1 old"),
        lead("shared mailbox 1", email="info@acme.example"),
        lead("shared mailbox 2", email="INFO@acme.example"),
        lead("no e-mail"),
        lead("no address", email="call me"),
        lead("ambiguous", email="twice@both.example"),
        lead("duplicate contact", email="dup@same.example"),
        lead("alone", email="alone@nowhere.example"),
        lead("alone again", email="Alone+x@nowhere.example"),
        lead("became the deal", converted_opportunity_id="with contact"),
        lead("another became it", converted_opportunity_id="shared deal", email="a@one.example"),
        lead("this one too", converted_opportunity_id="shared deal", email="b@two.example"),
        lead(
            "somebody else", converted_opportunity_id="other contact", email="else@where.example"
        ),
        # Accounts.
        lead("company name", company=" ACME, Corp. "),
        lead("exact company", company="Globex GmbH"),
        lead("ambiguous company", company="The Globex"),
        lead("domain", email="new@acme.example"),
        lead("free mail", email="somebody@gmail.com"),
        lead("shared domain", email="new@group.example"),
        lead("unknown company", company="Initech"),
        lead("deal's account", converted_opportunity_id="of umbrella", company="Something else"),
        lead("two accounts", converted_opportunity_id="of umbrella too", contact_id="C1"),
        # Rules.
        lead("staff before", email="me@ours.example", created_at="2025-12-31 12:00"),
        lead("staff", email="me@ours.example"),
        lead("rival", company="Rival Software"),
        lead("two rules", email="you@ours.example", company="rival"),
        # Campaigns.
        lead("winter", source="Meta", campaign="sale", created_at="2026-02-28 12:00"),
        # 2026-03-01 04:59 UTC is still February in New York.
        lead("last evening", source="Meta", campaign="sale", created_at="2026-03-01 04:59"),
        lead("spring", source="Meta", campaign="sale", created_at="2026-03-01 05:00"),
        lead("landing page", source=None, utm_source="Google", campaign="Brand-US"),
        lead("two steps", source="google", campaign="OLD brand"),
        lead("backwards", source="Meta", campaign="Backwards"),
        lead("partners", source="Referral", campaign="Partners"),
        lead("google only", source="google", campaign=None),
        lead("once", source="Meta", campaign="Twice", created_at="2026-01-14 12:00"),
        lead("twice", source="Meta", campaign="Twice", created_at="2026-01-15 12:00"),
        lead("once again", source="Meta", campaign="Twice", created_at="2026-02-01 12:00"),
    ],
    "merges": [
        merge("lead", "chain 2", "chain 3"),
        merge("lead", "dated", "survivor", "2026-02-01 10:00"),
        merge("lead", "not yet", "survivor", "2026-04-01 10:00"),
        merge("lead", "deleted by the CRM", "survivor"),
        merge("Lead", "contradicted", "survivor"),
        merge("contact", "C1 old", "C1"),
        merge("opportunity", "merged deal", "with contact"),
        merge("account", "A", "B"),
    ],
    "contacts": [
        contact("C1", email="c1@acme.example", account="Acme Corporation"),
        contact("C1 old", email="c1.old@acme.example", account="Acme"),
        contact("C2", email="c2@globex.example", account="Globex GmbH"),
        contact("C3", email="c3@globex-us.example", account="Globex Inc."),
        # One e-mail, two employers: nobody can say who that is.
        contact("twice 1", email="twice@both.example", account="Acme Corporation"),
        contact("twice 2", email="twice@both.example", account="Umbrella"),
        # One e-mail, one employer: the CRM holds the person twice.
        contact("dup 1", email="dup@same.example", account="Same"),
        contact("dup 2", email="DUP@same.example", account="Same Inc."),
        contact("dup 3", email="dup@same.example"),
        contact("group 1", email="x@group.example", account="Hooli"),
        contact("group 2", email="y@group.example", account="Pied Piper"),
        contact("gmail", email="z@gmail.com", account="Freelancer"),
        contact("ours", email="sales.rep@ours.example"),
        contact("again", email="a@again.example", _load=1),
        contact("again", email="b@again.example", _load=2),
        contact("future", created_at="2026-04-01"),
    ],
    "contact_roles": [
        {"opportunity_id": "with contact", "contact_id": "C2", "role": "user"},
        {"opportunity_id": "merged deal", "contact_id": "C3", "is_primary": True},
        {"opportunity_id": "with contact", "contact_id": "nobody delivers", "is_primary": False},
        {"opportunity_id": "with contact", "contact_id": "ours"},
        {"opportunity_id": "deleted", "contact_id": "C2"},
        {"opportunity_id": "no such", "contact_id": "C2"},
        {"opportunity_id": "with contact", "contact_id": "C2", "role": "buyer"},
    ],
    "opportunities": [
        deal("with contact", contact_id="C1", account="Acme Corporation", source="Meta",
             campaign="Sale", created_at="2026-03-02"),
        deal("merged deal", account="Acme Corporation"),
        deal("shared deal", contact_id="C2"),
        deal("other contact", contact_id="C2"),
        deal("of umbrella", account="Umbrella"),
        deal("of umbrella too", account="umbrella"),
        deal("deleted", is_deleted=True),
        deal("demo", account="Demo account"),
        deal("nobody's"),
    ],
    "opportunity_events": [
        {"opportunity_id": "merged deal", "occurred_at": "2026-02-02", "stage": "Open"},
        {"opportunity_id": "nobody's", "occurred_at": "2026-02-02", "stage": "Open"},
        {"opportunity_id": "nobody's", "occurred_at": "2026-02-02", "stage": "Open"},
    ],
    "lead_events": [
        {"lead_id": "deleted by the CRM", "occurred_at": "2026-02-02", "status": "New"},
        {"lead_id": "survivor", "occurred_at": "2026-02-02", "status": "New"},
        {"lead_id": "survivor", "occurred_at": "2026-02-02", "status": "New"},
        {"lead_id": "no such", "occurred_at": "2026-02-02", "status": "New"},
    ],
    "touches": [
        touch("of a lead", lead_id="plus"),
        touch("of a merged lead", lead_id="chain 1"),
        touch("of a lead the CRM deleted", lead_id="deleted by the CRM"),
        touch("by e-mail", email="C1@acme.example"),
        touch("by an unknown lead's e-mail", lead_id="unknown", email="alone@nowhere.example"),
        touch("of nobody", email="nobody@knows.example"),
        touch("of a colleague", email="stranger@acme.example"),
        touch("ambiguous", email="twice@both.example"),
        touch("of staff", lead_id="staff"),
        touch("bot", kind="Bot visit"),
        touch("future", occurred_at="2026-04-01 12:00"),
        touch("again", _load=1),
        touch("again", _load=2, lead_id="alone"),
        touch("renamed", source="Meta", campaign="SALE", occurred_at="2026-03-01 05:00"),
        touch("of an unknown campaign", source="Meta", campaign="Typo"),
    ],
    "exclusion_rule": [
        *rule("staff", "leads", "email_domain", "equals", "ours.example",
              valid_from="2026-01-01"),
        *rule("rivals", "leads", "company", "starts_with", "rival", "competitor"),
        *rule("our own", "contacts", "email", "ends_with", "@ours.example"),
        *rule("bots", "touches", "kind", "contains", "bot"),
        *rule("demo", "opportunities", "account", "starts_with", "demo"),
        *rule("never", "leads", "owner", "equals", "nobody"),
    ],
    "revenue": [
        {"revenue_id": "R1", "occurred_at": "2026-03-01", "amount": "5", "currency": "USD"},
        {"revenue_id": "R2", "occurred_at": "2026-04-02", "amount": "5", "currency": "USD"},
    ],
    "fx_rates": [
        {"day": "2026-01-01", "currency": "EUR", "rate": "1.1", "_load": 1},
        {"day": "2026-01-01", "currency": "EUR", "rate": "1.2", "_load": 2},
        {"day": "2026-01-01", "currency": "USD", "rate": "1"},
    ],
    "stage_map": [
        {"feed": "crm", "entity": "opportunity", "raw_status": "Open", "stage": "opportunity"},
        {"feed": "crm", "entity": "lead", "raw_status": "New", "stage": "lead"},
    ],
    "qualified_definition": [{"version": "1", "valid_from": "2026-01-01", "exclude_test": True}],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("identity"))
    built.build(COMPANY)
    return built


# --- Merges --------------------------------------------------------------------------------------


def test_map_of_merges(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select record_id, survivor_id, stated_by, reason, is_contradicted from dim_merge"
        " where entity = 'lead' order by record_id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("chain 1", "chain 3", "leads", "merged", False),
        ("chain 2", "chain 3", "merges", "merged", False),
        ("circle 1", None, "leads", "merged in a circle", False),
        ("circle 2", None, "leads", "merged in a circle", False),
        ("contradicted", "survivor", "merges", "merged", True),
        ("dated", "survivor", "merges", "merged", False),
        ("deleted by the CRM", "survivor", "merges", "merged", False),
        ("over a deleted one", "survivor", "leads", "merged", False),
    ]


def test_every_statement_of_a_merge_has_a_standing(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select disposition, reason, rows from audit_row_reason where table_name = 'merges'"
        " order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("excluded", "merged after as_of", 1),
        ("excluded", "no lead, contact or opportunity", 1),
        ("kept", "in force", 6),
    ]


def test_merged_records_are_what_their_survivor_is(warehouse: Warehouse) -> None:
    assert persons(warehouse, "chain 1", "chain 2", "chain 3", "same e-mail as chain 1") == {
        "lead:chain 3"
    }
    assert persons(warehouse, "not yet") == {"email:notyet@x.example"}
    assert persons(warehouse, "into nobody") == {"email:into.nobody@x.example"}
    assert not warehouse.rows("from int_person__record where record_id like 'circle%'")


def test_a_merged_opportunity_is_part_of_another(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "select disposition, reason from int_opportunity__disposition"
        " where opportunity_id = 'merged deal'"
    ) == [{"disposition": "merged", "reason": "merged into another opportunity"}]
    events = warehouse.rows(
        "select disposition, reason, rows from audit_row_reason"
        " where table_name = 'opportunity_events' order by all"
    )
    assert [tuple(row.values()) for row in events] == [
        ("kept", "in the books", 1),
        ("merged", "its opportunity was merged into another", 1),
        ("merged", "same change stated again", 1),
    ]


def test_what_refers_to_a_merged_record_is_found(warehouse: Warehouse) -> None:
    events = warehouse.rows(
        "select disposition, reason, rows from audit_row_reason where table_name = 'lead_events'"
        " order by all"
    )
    assert [tuple(row.values()) for row in events] == [
        ("excluded", "no such lead", 1),
        ("kept", "in the books", 1),
        ("merged", "its lead was merged into another", 1),
        ("merged", "same change stated again", 1),
    ]
    found = warehouse.rows("select table_name, key, reference from audit_reference order by all")
    assert [tuple(row.values()) for row in found] == [
        ("contact_roles", "contact_id", "contacts.contact_id = nobody delivers"),
        ("contact_roles", "opportunity_id", "opportunities.opportunity_id = no such"),
        ("lead_events", "lead_id", "leads.lead_id = no such"),
        ("leads", "merged_into", "leads.lead_id = unknown"),
        ("touches", "lead_id", "leads.lead_id = unknown"),
    ]


# --- Persons -------------------------------------------------------------------------------------


def persons(warehouse: Warehouse, *leads: str, entity: str = "lead") -> set[str]:
    wanted = ", ".join("'" + each.replace("'", "''") + "'" for each in leads)
    found = warehouse.rows(
        f"select person_id from int_person__record where entity = '{entity}'"
        f" and record_id in ({wanted})"
    )
    assert len(found) == len(leads)
    return {row["person_id"] for row in found}


PERSONS = {
    "named contact": ("contact:C1", "id", False),
    "by its e-mail": ("contact:C1", "email", False),
    "plus": ("contact:C1", "email", False),
    "other e-mail of C1": ("contact:C1", "email", False),
    "merged contact": ("contact:C1", "id", False),
    "shared mailbox 1": ("lead:shared mailbox 1", "none", False),
    "shared mailbox 2": ("lead:shared mailbox 2", "none", False),
    "no e-mail": ("lead:no e-mail", "none", False),
    "no address": ("lead:no address", "none", False),
    "ambiguous": ("lead:ambiguous", "none", True),
    "duplicate contact": ("contact:dup 1", "email", False),
    "alone": ("email:alone@nowhere.example", "email", False),
    "alone again": ("email:alone@nowhere.example", "email", False),
    "became the deal": ("contact:C1", "id", False),
    "another became it": ("email:a@one.example", "email", False),
    "this one too": ("email:b@two.example", "email", False),
    "somebody else": ("email:else@where.example", "email", False),
}


@pytest.mark.parametrize("record", PERSONS)
def test_person_of_a_lead(record: str, warehouse: Warehouse) -> None:
    found = warehouse.row(
        "select person_id, match_method, is_ambiguous from int_person__record"
        f" where entity = 'lead' and record_id = '{record}'"
    )
    assert tuple(found.values()) == PERSONS[record]


def test_contacts_of_one_person_are_joined_unless_their_accounts_differ(
    warehouse: Warehouse,
) -> None:
    found = warehouse.rows(
        "select record_id, person_id, match_method, is_ambiguous from int_person__record"
        " where entity = 'contact' and (record_id like 'dup%' or record_id like 'twice%')"
        " order by record_id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("dup 1", "contact:dup 1", "id", False),
        ("dup 2", "contact:dup 1", "email", False),
        ("dup 3", "contact:dup 1", "email", False),
        ("twice 1", "contact:twice 1", "id", True),
        ("twice 2", "contact:twice 2", "id", True),
    ]


def test_who_has_a_part_in_an_opportunity(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select person_id, is_primary, has_converted_lead from int_opportunity__person"
        " where opportunity_id = 'with contact' order by person_id"
    )
    # The role in the merged deal counts here; that of our own sales rep, left out by a rule, not.
    assert [tuple(row.values()) for row in found] == [
        ("contact:C1", True, True),
        ("contact:C2", False, False),
        ("contact:C3", True, False),
        ("contact:nobody delivers", False, False),
    ]
    # Two leads became one deal: neither is taken for its primary contact.
    assert warehouse.rows(
        "select person_id, is_primary, has_converted_lead from int_opportunity__person"
        " where opportunity_id = 'shared deal' order by person_id"
    ) == [
        {"person_id": "contact:C2", "is_primary": True, "has_converted_lead": False},
        {"person_id": "email:a@one.example", "is_primary": False, "has_converted_lead": True},
        {"person_id": "email:b@two.example", "is_primary": False, "has_converted_lead": True},
    ]


def test_every_contact_role_has_a_standing(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select disposition, reason, rows from audit_row_reason where table_name = 'contact_roles'"
        " order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("excluded", "its contact is not in the books", 1),
        ("excluded", "its opportunity is not in the books", 1),
        ("excluded", "no such opportunity", 1),
        ("kept", "in the books", 3),
        ("merged", "same role loaded again", 1),
    ]


# --- Accounts ------------------------------------------------------------------------------------

ACCOUNTS = {
    "named contact": ("acme_corporation", "id", False),
    "company name": ("acme_corporation", "company", False),
    "exact company": ("globex_gmbh", "company", False),
    "ambiguous company": (None, "none", True),
    "domain": ("acme_corporation", "domain", False),
    "by its e-mail": ("acme_corporation", "id", False),
    "shared mailbox 1": ("acme_corporation", "domain", False),
    "free mail": (None, "none", False),
    "shared domain": (None, "none", True),
    "unknown company": (None, "none", False),
    "deal's account": ("umbrella", "id", False),
    "two accounts": (None, "none", True),
    "chain 1": (None, "none", False),
}


@pytest.mark.parametrize("record", ACCOUNTS)
def test_account_of_a_lead(record: str, warehouse: Warehouse) -> None:
    quoted = record.replace("'", "''")
    found = warehouse.row(
        "select account_id, account_match_method, is_account_ambiguous from int_person__record"
        f" where entity = 'lead' and record_id = '{quoted}'"
    )
    assert tuple(found.values()) == ACCOUNTS[record]


def test_an_opportunity_without_account_takes_that_of_its_contact(warehouse: Warehouse) -> None:
    found = warehouse.rows("select opportunity_id, account_id from int_opportunity order by all")
    assert {row["opportunity_id"]: row["account_id"] for row in found} == {
        "with contact": "acme_corporation",
        "shared deal": "globex_gmbh",
        "other contact": "globex_gmbh",
        "of umbrella": "umbrella",
        "of umbrella too": "umbrella",
        "nobody's": None,
    }


# --- Touches -------------------------------------------------------------------------------------

TOUCHES = {
    "of a lead": ("contact:C1", "acme_corporation", "id"),
    "of a merged lead": ("lead:chain 3", None, "id"),
    "of a lead the CRM deleted": ("lead:survivor", None, "id"),
    "by e-mail": ("contact:C1", "acme_corporation", "email"),
    "by an unknown lead's e-mail": ("email:alone@nowhere.example", None, "email"),
    "of nobody": (None, None, "none"),
    "of a colleague": (None, "acme_corporation", "none"),
    "ambiguous": (None, None, "none"),
    "again": ("email:alone@nowhere.example", None, "id"),
    "renamed": (None, None, "none"),
    "of an unknown campaign": (None, None, "none"),
}


def test_whose_touches(warehouse: Warehouse) -> None:
    found = warehouse.rows("select touch_id, person_id, account_id, match_method from int_touch")
    assert {row["touch_id"]: (*row.values(),)[1:] for row in found} == TOUCHES


def test_every_touch_and_contact_has_a_standing(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select table_name, disposition, reason, rows from audit_row_reason"
        " where table_name in ('touches', 'contacts') order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("contacts", "excluded", "created after as_of", 1),
        ("contacts", "excluded", "rule: our own", 1),
        ("contacts", "kept", "in the books", 12),
        ("contacts", "merged", "merged into another contact", 1),
        ("contacts", "merged", "same id loaded again", 1),
        ("touches", "excluded", "after as_of", 1),
        ("touches", "excluded", "its lead is excluded", 1),
        ("touches", "excluded", "rule: bots", 1),
        ("touches", "kept", "in the books", 11),
        ("touches", "merged", "same id loaded again", 1),
    ]


# --- Rules ---------------------------------------------------------------------------------------


def test_rules_judge_what_was_created_while_they_were_in_force(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select lead_id, reason from int_lead__disposition"
        " where lead_id in ('staff before', 'staff', 'rival', 'two rules') order by lead_id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("rival", "rule: rivals"),
        ("staff", "rule: staff"),
        ("staff before", None),
        ("two rules", "rule: rivals"),
    ]


def test_rules_are_published_with_what_they_leave_out(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select rule, entity, rows, fitting_rows from audit_exclusion order by rule"
    )
    assert [tuple(row.values()) for row in found] == [
        ("bots", "touches", 1, 1),
        ("demo", "opportunities", 1, 1),
        ("never", "leads", 0, 0),
        ("our own", "contacts", 1, 1),
        ("rivals", "leads", 2, 2),
        ("staff", "leads", 1, 2),
    ]


def test_rules_look_at_the_columns_that_may_be_configured() -> None:
    model = DBT_PROJECT / "models/intermediate/identity/int_exclusion__row.sql"
    text = "".join(model.read_text(encoding="utf-8").split())
    for entity, columns in RULE_COLUMNS.items():
        listed = "".join(f'"{column}",' for column in columns).rstrip(",")
        assert f'"{entity}":[{listed}]' in text.replace(",]", "]")


# --- Campaigns -----------------------------------------------------------------------------------

CAMPAIGNS = {
    "winter": "Meta / Winter Sale",
    "last evening": "Meta / Winter Sale",
    "spring": "Meta / Spring Sale",
    "landing page": "Google Ads / Brand US",
    "two steps": "Google Ads / Brand US",
    "backwards": "Meta / Backwards",
    "partners": "Referral / Partners",
    "google only": "Google Ads / (no campaign)",
    "once": "Meta / Winter Sale",
    "twice": "Meta / Twice",
    "once again": "Meta / Spring Sale",
}


@pytest.mark.parametrize("lead_id", CAMPAIGNS)
def test_a_spelling_means_what_it_meant_that_day(lead_id: str, warehouse: Warehouse) -> None:
    found = warehouse.row(f"select campaign_key from int_lead where lead_id = '{lead_id}'")
    assert found["campaign_key"] == CAMPAIGNS[lead_id]


def test_spend_touches_and_opportunities_follow_the_names_too(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select campaign_key, amount_minor from fct_spend__campaign_daily where source = 'Meta'"
        " order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("Meta / (no campaign)", 300),
        ("Meta / Quiet", 700),
        ("Meta / Spring Sale", 2000),
        ("Meta / Winter Sale", 1000),
    ]
    assert warehouse.row("select campaign_key from int_touch where touch_id = 'renamed'") == {
        "campaign_key": "Meta / Spring Sale"
    }
    assert warehouse.row(
        "select campaign_key from fct_opportunity where opportunity_id = 'with contact'"
    ) == {"campaign_key": "Meta / Spring Sale"}


def test_campaigns_say_whether_spend_and_leads_meet(warehouse: Warehouse) -> None:
    found = warehouse.rows("select campaign_key, match_status from dim_campaign order by all")
    assert {row["campaign_key"]: row["match_status"] for row in found} == {
        "(unknown) / (no campaign)": "no_campaign",
        "Google Ads / (no campaign)": "no_campaign",
        "Google Ads / Brand US": "matched",
        "Meta / (no campaign)": "no_campaign",
        "Meta / Backwards": "unmapped",
        "Meta / Never used": "idle",
        "Meta / Quiet": "spend_without_leads",
        "Meta / Spring Sale": "matched",
        "Meta / Twice": "unmapped",
        "Meta / Typo": "unmapped",
        "Meta / Winter Sale": "matched",
        "Referral / Partners": "leads_without_spend",
    }


def test_what_does_not_meet_has_a_bucket(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select campaign_key, spend_minor, leads, touches, opportunities, opportunity_minor"
        " from rpt_unmatched__campaign order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("(unknown) / (no campaign)", 0, 0, 0, 5, 50_000),
        ("Google Ads / (no campaign)", 0, 1, 0, 0, 0),
        ("Meta / (no campaign)", 300, 0, 0, 0, 0),
        ("Meta / Backwards", 0, 1, 0, 0, 0),
        ("Meta / Quiet", 700, 0, 0, 0, 0),
        ("Meta / Twice", 0, 1, 0, 0, 0),
        ("Meta / Typo", 0, 0, 1, 0, 0),
        ("Referral / Partners", 0, 1, 0, 0, 0),
    ]


def test_names_that_hold_on_no_day_are_named(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select disposition, reason, rows from audit_row_reason where table_name = 'campaign_names'"
        " order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("excluded", "it holds on no day", 1),
        ("kept", "in force", 6),
    ]


def test_two_meanings_at_once_are_neither(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select kind, value, rows, first_seen_at::date::varchar as day from audit_unmapped"
        " where kind <> 'status' order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("campaign", "Meta / Backwards", 1, "2026-01-05"),
        ("campaign", "Meta / Twice", 1, "2026-01-15"),
        ("meaning", "Meta / Twice: Meta / Spring Sale, or Meta / Winter Sale", 1, "2026-01-15"),
    ]


# --- What is published ---------------------------------------------------------------------------


def test_no_row_of_any_table_is_lost(warehouse: Warehouse) -> None:
    assert not warehouse.rows(
        "from audit_row where raw_rows <> kept_rows + merged_rows + excluded_rows"
        " + quarantined_rows + superseded_rows"
    )
    found = warehouse.rows(
        "select table_name, disposition, reason, rows from audit_row_reason"
        " where table_name in ('revenue', 'fx_rates', 'campaigns') order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("campaigns", "kept", "in the books", 5),
        ("fx_rates", "excluded", "the reporting currency itself is always 1", 1),
        ("fx_rates", "kept", "in the books", 1),
        ("fx_rates", "superseded", "same rate loaded again", 1),
        ("revenue", "excluded", "after as_of", 1),
        ("revenue", "kept", "in the books", 1),
    ]


def test_persons_and_accounts_leave_as_hashes_only(warehouse: Warehouse) -> None:
    found = warehouse.rows("from fct_identity__record")
    assert all(len(row["person_key"]) == 64 for row in found)
    assert all(row["account_key"] is None or len(row["account_key"]) == 64 for row in found)
    assert not any("@" in str(value) for row in found for value in row.values())
    key = {(row["entity"], row["record_id"]): row["person_key"] for row in found}
    assert key["lead", "plus"] == key["contact", "C1"] == key["contact", "C1 old"]
    assert key["lead", "ambiguous"] != key["contact", "twice 1"] != key["contact", "twice 2"]


def test_matches_are_counted_with_their_empty_buckets(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select entity, party, match_method, records from rpt_identity__match"
        " where entity in ('touch', 'opportunity') order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("opportunity", "account", "id", 3),
        ("opportunity", "account", "none", 1),
        ("opportunity", "account", "person", 2),
        ("opportunity", "person", "id", 5),
        ("opportunity", "person", "none", 1),
        ("touch", "account", "domain", 1),
        ("touch", "account", "none", 8),
        ("touch", "account", "person", 2),
        ("touch", "person", "ambiguous", 1),
        ("touch", "person", "email", 2),
        ("touch", "person", "id", 4),
        ("touch", "person", "none", 4),
    ]
    assert warehouse.row(
        "select sum(records) as matched, (select count(*) from fct_lead) as leads"
        " from rpt_identity__match where entity = 'lead' and party = 'person'"
    ) == warehouse.row("select count(*) as matched, count(*) as leads from fct_lead")
