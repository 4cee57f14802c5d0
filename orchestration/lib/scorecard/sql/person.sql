-- Who the plan names, with their titles.
select distinct on (person) person, title, department
from audit.plan_person
order by person, version desc
