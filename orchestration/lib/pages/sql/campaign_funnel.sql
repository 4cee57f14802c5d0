-- How many of the campaign's leads ever reached each stage.
select
    count(*) as leads,
    count(first_mql_at) as mqls,
    count(first_sal_at) as sals,
    count(first_sql_at) as sqls,
    count(first_opportunity_at) as opportunities,
    count(first_won_at) as wins
from fct_lead
where campaign_key = $campaign
