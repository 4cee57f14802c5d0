{# How departments count, for the bridge from their claims to the books. #}

{# The KPI that a claim is about: two of them have everyday names. #}
{% macro kpi_of_claim(metric) -%}
    case {{ metric }}
        when 'accepted_leads' then 'sals'
        when 'spend' then 'budget'
        else {{ metric }}
    end
{%- endmacro %}

{# The reasons that are computed from the data, in the order in which they are taken off: a record
   stands in the first that applies. The others can only be stated. #}
{% macro computed_reasons() -%}
    {{ return([
        "test_record",
        "excluded_domain",
        "left_out_by_rule",
        "merged",
        "duplicate",
        "below_definition",
        "repeat_entry",
        "different_date",
        "deleted",
        "not_new_business",
        "amount_change",
        "currency_rate",
        "credit",
        "overhead",
        "restatement",
    ]) }}
{%- endmacro %}

{# A record that was delivered more than once, with the row that it stands on. #}
{% macro row_of_record(table, id) -%}
    {{ table }}.{{ id }} || ' (' || {{ table }}._feed
    || ', load ' || cast({{ table }}._load as varchar)
    || ', line ' || cast({{ table }}._line as varchar) || ')'
{%- endmacro %}
