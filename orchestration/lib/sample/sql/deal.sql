-- Every opportunity with its history, whoever opened it: what became of leads, what Sales opened
-- itself, what was lost and opened again, and second records of the same deal. Built row by row
-- from `lead`, without a join (see latent.sql).

create macro changes_owner(i, k) as
    rate_of('deal_edits') > 0 and draw('new owner', (i) * 64 + (k), 10) = 0;

-- An edit follows a step at once, before whatever comes next: 0 amount, 1 pushed out, 2 pulled in,
-- 3 owner, 4 all of it.
create macro edit_of(i, k) as draw('edit what', (i) * 64 + (k), 5);

create macro edited_after(i, k, gap) as (step_after(i, k, gap) + ((k) + 1) * gap) // 2;

create macro is_edited(i, k, gap) as
    draw('edit', (i) * 64 + (k), 10000) < rate_of('deal_edits')
    and ((k) + 1) * gap - step_after(i, k, gap) > 600;

create macro close_date_of(i, k, opened_s) as
    at_second(opened_s)::date + 45 + draw('close', (i) * 64 + (k), 40)::integer;

create macro deal_event(at_s, is_edit, step, minor, close_date, owner) as {
    'at_s': (at_s)::bigint,
    'is_edit': (is_edit)::boolean,
    'step': (step)::tinyint,
    'minor': (minor)::bigint,
    'close_date': (close_date)::date,
    'owner': (owner)::varchar
};

create table deal as
with
opened as (
    select
        *,
        created_s + step_after(i, lead_count + 1, gap) as opened_s,
        created_s + step_after(i, len(steps), gap) as ended_s,
    from lead
    where len(steps) > lead_count
),

-- One scan and no union: several threads would deliver its parts in any order. Before a second
-- record was merged it counted; so it is here only if it has been merged.
recorded as (
    select
        *,
        unnest(
            ['own']
            || if(
                steps[len(steps)] = 14 and draw('clone', i, 10000) < rate_of('cloned_deals'),
                ['clone'],
                []
            )
            || if(
                draw('second record', i, 10000) < rate_of('merged_opportunities')
                and opened_s + 200000 <= getvariable('as_of_s'),
                ['duplicate'],
                []
            )
        ) as origin,
    from opened
),

every as (
    select
        related(i, case origin when 'clone' then 1 when 'duplicate' then 2 else 0 end) as o,
        i,
        origin,
        kind = 'direct' as is_direct,
        if(
            origin = 'own' and kind = 'direct' and rate_of('renewals') > 0,
            ['renewal', 'expansion', null][1 + draw('kind of deal', i, 3)],
            null
        ) as deal_kind,
        is_deleted and origin = 'own' as is_deleted,
        c,
        person_i,
        if(origin = 'duplicate', opened_s + 200000, null) as merged_s,
        case origin
            when 'own'
                then flatten(list_transform(
                    range(lead_count + 1, len(steps) + 1),
                    lambda k: [
                        deal_event(
                            created_s + step_after(i, k, gap),
                            false,
                            steps[k],
                            if(
                                k = lead_count + 1 and is_unknown_at_first(i),
                                null,
                                amount_minor(i, k, amount)
                            ),
                            if(
                                steps[k] in (8, 14),
                                at_second(created_s + step_after(i, k, gap))::date,
                                close_date_of(i, k, opened_s)
                            ),
                            case
                                when changes_owner(i, k)
                                    then pick(getvariable('owners'), 'new owner name', i * 64 + k)
                                when k = lead_count + 1 and rate_of('deal_edits') > 0
                                    then pick(getvariable('owners'), 'owner', i)
                            end
                        )
                    ] || if(
                        steps[k] in (8, 14) or not is_edited(i, k, gap),
                        [],
                        [
                            deal_event(
                                created_s + edited_after(i, k, gap),
                                true,
                                steps[k],
                                case
                                    when k = lead_count + 1 and is_unknown_at_first(i) then null
                                    when edit_of(i, k) in (0, 4) and not is_unknown_at_first(i)
                                        then amount * (80 + draw('edit by', i * 64 + k, 50))
                                    else amount_minor(i, k, amount)
                                end,
                                close_date_of(i, k, opened_s)
                                + [0, 30, -20, 0, 60][1 + edit_of(i, k)]::integer,
                                if(
                                    edit_of(i, k) in (3, 4),
                                    pick(getvariable('owners'), 'edit owner', i * 64 + k),
                                    null
                                )
                            )
                        ]
                    )
                ))
            when 'clone'
                then [
                    deal_event(
                        ended_s + 259200,
                        false,
                        5,
                        90 * amount,
                        at_second(ended_s + 259200)::date + 60,
                        pick(getvariable('owners'), 'owner', i)
                    ),
                    deal_event(
                        ended_s + 864000,
                        false,
                        6,
                        90 * amount,
                        at_second(ended_s + 259200)::date + 60,
                        null
                    )
                ]
            else [
                deal_event(
                    opened_s + 20000,
                    false,
                    5,
                    95 * amount,
                    at_second(opened_s)::date + 50,
                    pick(getvariable('owners'), 'owner', i)
                )
            ]
        end as events,
    from recorded
),

told as (
    select
        *,
        list_filter(events, lambda event: event.at_s <= getvariable('as_of_s')) as seen,
    from every
)

select
    o,
    i,
    origin,
    is_direct,
    deal_kind,
    is_deleted,
    c,
    person_i,
    merged_s,
    seen,
    -- What the CRM says: one step of what is yet to come, where time has gone wrong.
    events[1:(
        len(seen) + if(draw('future', i, 10000) < rate_of('future_events'), 1, 0)
    )] as told,
    seen[1].at_s as opened_s,
    seen[1].minor as opened_minor,
    seen[len(seen)] as now,
    -- The step that it stands in, without edits since.
    list_filter(seen, lambda event: not event.is_edit)[-1].at_s as stage_s,
    list_filter(seen, lambda event: event.owner is not null)[-1].owner as owner,
from told
where len(seen) > 0;
