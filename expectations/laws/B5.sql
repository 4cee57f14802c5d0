/*
id: B5
title: Credit adds up to the amount
meaning: >
  For each piece of new business and each model of credit, what all touches are credited with is the
  amount it was opened or won with, to the cent. Each touch counts once, lies before that day and
  within the look-back; a deal that no touch led to says so itself. So no campaign is given a cent
  that another one has too.
severity: block
unit: minor
forgivable: false
waivable: false
owner: Analytics engineering, who own the models
what_to_do: >
  This is a fault in the models, not in anybody's data: whatever touches there are, the whole amount
  can be shared out among them or stand as unattributed. Readers keep the last good version. Send
  the rows and the log of the run to the owner; do not correct credits by hand. Weights that do not
  add up to 100 % stand in `credit: weights:` of sources.yml or in the reference table of the models.
*/

-- query: applies
with

kept as (

    select coalesce(sum(kept_rows), 0) as kept_rows
    from audit.row
    where table_name = 'opportunities'

),

published as (

    select
        count(*) as opportunities,
        count(*) filter (where is_new_business) as new_business
    from main.fct_opportunity

),

final as (

    select case when kept.kept_rows = 0 then 'no opportunity source' else 'no new business' end
        as reason
    from kept
    cross join published
    where kept.kept_rows = 0 or (published.opportunities > 0 and published.new_business = 0)

)

select * from final;

-- query: measure
with

due as (

    select
        cast(
            coalesce(sum(opened_reporting_amount_minor), 0)
            + coalesce(sum(reporting_amount_minor) filter (where is_won), 0) as bigint
        ) as amount_minor,
        count(*) + count(*) filter (where is_won) as amounts
    from main.fct_opportunity
    where is_new_business

),

models as (

    select count(*) as models
    from main.dim_credit_model

),

credits as (

    select cast(coalesce(sum(credit_minor), 0) as bigint) as credit_minor
    from main.fct_credit__opportunity_touch

),

final as (

    select
        due.amount_minor * models.models as expected,
        credits.credit_minor as actual,
        credits.credit_minor - due.amount_minor * models.models as difference,
        due.amounts * models.models as checked
    from due
    cross join models
    cross join credits

)

select * from final;

-- query: offenders
with

anchors as (

    select
        opportunity_id,
        'pipeline' as basis,
        opened_reporting_amount_minor as amount_minor,
        created_at as anchor_at
    from main.fct_opportunity
    where is_new_business

    union all

    select
        opportunity_id,
        'won' as basis,
        reporting_amount_minor as amount_minor,
        won_at as anchor_at
    from main.fct_opportunity
    where is_new_business and is_won

),

due as (

    select
        anchors.opportunity_id,
        anchors.basis,
        anchors.amount_minor,
        anchors.anchor_at,
        models.model,
        models.look_back_days
    from anchors
    cross join main.dim_credit_model as models

),

-- One pass over the credits: all that is asked of an opportunity, basis and model at once.
-- `unknown` counts credits without a figure: they must not pass for zero.
credited as (

    select
        opportunity_id,
        basis,
        model,
        true as is_credited,
        cast(coalesce(sum(credit_minor), 0) as bigint) as credit_minor,
        count(*) filter (where credit_minor is null) as unknown,
        count(*) as credits,
        sum(share) as share,
        count(*) filter (where share is null or share < 0) as unsound_shares,
        min(anchor_at) as first_anchor_at,
        max(anchor_at) as last_anchor_at,
        min(touched_at) as first_touched_at,
        max(touched_at) as last_touched_at,
        count(touch_id) as with_touch,
        count(distinct touch_id) as touches,
        count(*) filter (
            where
                (touch_id is null) is distinct from (touched_at is null)
                or (touch_id is null) is distinct from (campaign_key = '(unattributed)')
        ) as half_touches
    from main.fct_credit__opportunity_touch
    group by opportunity_id, basis, model

),

-- A credit whose opportunity, basis or model is unknown joins to nothing and is seen all the same.
compared as (

    select
        coalesce(due.opportunity_id, credited.opportunity_id) as opportunity_id,
        coalesce(due.basis, credited.basis) as basis,
        coalesce(due.model, credited.model) as model,
        due.opportunity_id is not null as is_due,
        coalesce(credited.is_credited, false) as is_credited,
        due.amount_minor,
        due.anchor_at,
        due.look_back_days,
        credited.* exclude (opportunity_id, basis, model, is_credited)
    from due
    full join credited
        on
            due.opportunity_id = credited.opportunity_id
            and due.basis = credited.basis
            and due.model = credited.model

),

problems as (

    select
        'no credit by this model' as problem,
        *
    from compared
    where is_due and not is_credited

    union all

    select
        'credit for what is no new business, was not won or by no known model' as problem,
        *
    from compared
    where not is_due

    union all

    select
        'the credits do not add up to the amount' as problem,
        *
    from compared
    where
        is_due
        and is_credited
        and (
            (amount_minor is null and unknown < credits)
            or (
                amount_minor is not null
                and (unknown > 0 or credit_minor is distinct from amount_minor)
            )
        )

    union all

    select
        'the shares do not add up to 1' as problem,
        *
    from compared
    where is_credited and (share is distinct from 1 or unsound_shares > 0)

    union all

    select
        'a touch has two credits' as problem,
        *
    from compared
    where is_credited and with_touch > touches

    union all

    select
        'it is unattributed although there is a touch' as problem,
        *
    from compared
    where is_credited and with_touch < credits and credits > 1

    union all

    select
        'a credit says neither which touch nor that there is none' as problem,
        *
    from compared
    where is_credited and half_touches > 0

    union all

    select
        'the credit counts up to another instant than the opening or the win' as problem,
        *
    from compared
    where
        is_due
        and is_credited
        and (
            first_anchor_at is distinct from last_anchor_at
            or (anchor_at is not null and last_anchor_at is distinct from anchor_at)
        )

    union all

    select
        'a touch after the opening or the win' as problem,
        *
    from compared
    where last_touched_at > first_anchor_at

    union all

    select
        'a touch before the look-back' as problem,
        *
    from compared
    where first_touched_at < last_anchor_at - look_back_days * interval 1 day

),

models as (

    select
        'the weights do not add up to 100 %' as problem,
        cast(null as varchar) as opportunity_id,
        cast(null as varchar) as basis,
        model,
        cast(null as bigint) as expected_minor,
        cast(null as bigint) as actual_minor
    from main.dim_credit_model
    where
        family = 'milestones'
        and (first_pct + lead_pct + opportunity_pct + last_pct + rest_pct) is distinct from 100

    union all

    select
        'there is no model of credit' as problem,
        cast(null as varchar) as opportunity_id,
        cast(null as varchar) as basis,
        cast(null as varchar) as model,
        cast(null as bigint) as expected_minor,
        cast(null as bigint) as actual_minor
    where
        not exists (select 1 from main.dim_credit_model)
        and exists (select 1 from main.fct_opportunity where is_new_business)

),

final as (

    select
        cast(null as varchar) as feed,
        problem,
        opportunity_id,
        basis,
        model,
        amount_minor as expected_minor,
        case when unknown = 0 then credit_minor end as actual_minor,
        case when unknown = 0 then credit_minor - amount_minor end as difference_minor
    from problems

    union all

    select
        cast(null as varchar) as feed,
        problem,
        opportunity_id,
        basis,
        model,
        expected_minor,
        actual_minor,
        cast(null as bigint) as difference_minor
    from models

)

select * from final;
