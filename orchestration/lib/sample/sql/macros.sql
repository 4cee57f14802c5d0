-- Names of things, and the spellings in which people and landing pages deliver them.

-- What belongs to another record (see `related`: the second lead of a deal, a colleague) has its
-- number and a letter.
create macro own_number(i) as (i) % 1000000000;

create macro record_name(prefix, i) as
    prefix || format('{:07d}', own_number(i)::bigint)
    || ['', 'B', 'C', 'D', 'E'][1 + (i) // 1000000000];

-- Minor units of the reporting currency, exact; the reporting currency itself has no rate.
create macro at_home(minor, currency, rate) as
    (minor)::decimal(15, 0)
    * coalesce(rate, 1)::decimal(12, 6)
    * (getvariable('home_mills')[currency] * 0.001::decimal(4, 3))::decimal(10, 3);

create macro lead_name(i) as record_name('L', i);

create macro opportunity_name(o) as record_name('O', o);

create macro contact_name(i) as record_name('C', i);

create macro company_of(i) as
    pick(getvariable('company_words'), 'company a', own_number(i))
    || ' ' || pick(getvariable('company_kinds'), 'company b', own_number(i));

create macro company_of_lead(i, kind) as
    if(kind = 'competitor', getvariable('competitor') || ' Inc.', company_of(i));

-- A mailbox that several people of a company read.
create macro has_shared_mailbox(i, kind) as
    kind in ('kept', 'merged', 'direct')
    and draw('mailbox', i, 10000) < rate_of('odd_mailboxes');

create macro email_of(i, kind) as
    case
        when kind = 'test' then 'qa+' || (i)::varchar || '@mailbox.example'
        else
            case
                when has_shared_mailbox(i, kind) then 'info'
                else
                    lower(pick(getvariable('first_names'), 'first', i)) || '.'
                    || lower(pick(getvariable('last_names'), 'last', i)) || (i)::varchar
            end
            || '@'
            || case kind
                when 'staff' then getvariable('own_domain')
                when 'bot' then getvariable('bot_domain')
                else
                    lower(pick(getvariable('company_words'), 'company a', own_number(i)))
                    || '-'
                    || lower(pick(getvariable('company_kinds'), 'company b', own_number(i)))
                    || '.example'
            end
    end;

-- The address as somebody known typed it this time.
create macro retyped(email, i) as
    case
        when draw('shout', i, 2) = 0 then upper(email)
        when rate_of('odd_mailboxes') > 0 and draw('plus', i, 2) = 0
            then replace(email, '@', '+news@')
        else email
    end;

-- The same name as somebody typed it: another case, other separators, a trailing space.
create macro noisy(name, i, stream) as
    case
        when draw(stream, i, 10000) >= rate_of('utm_noise') then name
        else
            case draw(stream || ' how', i, 5)
                when 0 then lower(name)
                when 1 then upper(name)
                when 2 then name || ' '
                when 3 then translate(lower(name), ' _', '--')
                else translate(name, ' -', '__')
            end
    end;

-- Of the records that belong to a lead or its deal: which there are.
create macro is_shared_deal(i) as draw('shared', i, 10000) < rate_of('shared_deals');

create macro colleagues_of(i) as if(rate_of('contact_roles') > 0, draw('colleagues', i, 3), 0);

create macro has_second_contact(i) as
    i < 1000000000 and draw('second contact', i, 10000) < rate_of('merged_contacts');

create macro is_merge_stated(i, kind) as
    kind = 'merged' and draw('stated', i, 10000) < rate_of('stated_merges');

create macro utm_source_of(source) as
    case source
        when 'Google Ads' then 'google'
        when 'LinkedIn Ads' then 'linkedin'
        when 'Meta Ads' then 'facebook'
    end;

create macro utm_medium_of(source) as
    case source
        when 'Google Ads' then 'cpc'
        when 'LinkedIn Ads' then 'sponsored'
        when 'Meta Ads' then 'paid-social'
    end;

-- In the middle of the period the CRM renamed two statuses; nobody touched `Qualified` within two
-- days of the renaming.
create macro raw_lead_status(step, at_s) as
    case
        when rate_of('renamed_statuses') > 0
            and step = 2 and at_s < getvariable('renamed_s') - 172800 then 'Qualified'
        when rate_of('renamed_statuses') > 0
            and step = 4 and at_s >= getvariable('renamed_s') + 172800 then 'Qualified'
        else getvariable('raw_statuses')[step]
    end;
