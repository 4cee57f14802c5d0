-- The left side of the flow: what each channel's cohorts have cost.
select channel, cast(sum(amount_minor) as bigint) as amount_minor
from ($flow) as flow
group by channel
order by (channel in ('no campaign', 'no channel')), (channel = 'overhead'), 2 desc, 1
