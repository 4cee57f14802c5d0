-- Names of things, and the spellings in which people and landing pages deliver them.

create macro lead_name(i) as format('L{:07d}', (i)::bigint);

create macro opportunity_name(i) as format('O{:07d}', (i)::bigint);

create macro contact_name(i) as format('C{:07d}', (i)::bigint);

create macro company_of(i) as
    pick(getvariable('company_words'), 'company a', i)
    || ' ' || pick(getvariable('company_kinds'), 'company b', i);

create macro email_of(i, kind) as
    case
        when kind = 'test' then 'qa+' || (i)::varchar || '@mailbox.example'
        else
            lower(pick(getvariable('first_names'), 'first', i)) || '.'
            || lower(pick(getvariable('last_names'), 'last', i)) || (i)::varchar || '@'
            || if(
                kind = 'staff',
                getvariable('own_domain'),
                lower(pick(getvariable('company_words'), 'company a', i))
                || '-' || lower(pick(getvariable('company_kinds'), 'company b', i)) || '.example'
            )
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
