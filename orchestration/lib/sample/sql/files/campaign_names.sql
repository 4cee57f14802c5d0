-- What other systems call a source; and the new name that one campaign got in spend alone.
select
    utm_source_of(source) as source,
    null as campaign,
    source as means_source,
    null as means_campaign,
    null::date as valid_from,
    null::date as valid_to,
from camp
where getvariable('renamed_c') >= 0 and campaign is not null
group by source
union all
select
    source,
    getvariable('renamed_to') as campaign,
    source as means_source,
    campaign as means_campaign,
    getvariable('renamed_day') as valid_from,
    null as valid_to,
from camp
where c = getvariable('renamed_c')
order by valid_from nulls first, source
