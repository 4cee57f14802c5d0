{# Text: engines disagree on regexp_replace (first match or all), trim and ordered string_agg. #}

{# What two spellings of one name have in common: lower case; spaces, `_`, `-`, `+`, `.` and the `%20`
   of a URL are one `_`, and none at the ends. Empty becomes null. #}
{% macro match_key(text) -%}
    {{ return(adapter.dispatch("match_key", "tieout")(text)) }}
{%- endmacro %}

{# DuckDB: the flag g, or only the first run would be replaced. #}
{% macro default__match_key(text) -%}
    nullif(trim(regexp_replace(lower({{ text }}), '(%20|[\s_+.-])+', '_', 'g'), '_'), '')
{%- endmacro %}

{# Spark: replaces all by itself, needs the backslash twice, and trims with `both from`. #}
{% macro spark__match_key(text) -%}
    nullif(
        trim(both '_' from regexp_replace(lower({{ text }}), '(%20|[\\s_+.-])+', '_')), ''
    )
{%- endmacro %}

{# The domain of an e-mail address in lower case; null without one. #}
{% macro email_domain(email) -%}
    nullif(split_part(lower(trim({{ email }})), '@', 2), '')
{%- endmacro %}

{# Keyed hash of an e-mail address, null without one. #}
{% macro person_hash(key, email) -%}
    {{ keyed_hash(key, "nullif(lower(trim(" ~ email ~ ")), '')") }}
{%- endmacro %}

{# Keyed hash of a text, null without one. The inner hash is keyed too, so that neither can be looked
   up in a table of known addresses or names. #}
{% macro keyed_hash(key, text) -%}
    {{ return(adapter.dispatch("keyed_hash", "tieout")(key, text)) }}
{%- endmacro %}

{# DuckDB: sha256() gives lower-case hexadecimal text. #}
{% macro default__keyed_hash(key, text) -%}
    sha256({{ key }} || sha256({{ key }} || {{ text }}))
{%- endmacro %}

{# Spark: the function is sha2, and the length is an argument. #}
{% macro spark__keyed_hash(key, text) -%}
    sha2(concat({{ key }}, sha2(concat({{ key }}, {{ text }}), 256)), 256)
{%- endmacro %}

{# The values of a group as one text, `1, 2`, in their own order. #}
{% macro ordered_list(expression) -%}
    {{ return(adapter.dispatch("ordered_list", "tieout")(expression)) }}
{%- endmacro %}

{% macro default__ordered_list(expression) -%}
    string_agg(cast({{ expression }} as varchar), ', ' order by {{ expression }})
{%- endmacro %}

{# Spark: no order within string_agg before 4.0. #}
{% macro spark__ordered_list(expression) -%}
    array_join(sort_array(collect_list({{ expression }})), ', ')
{%- endmacro %}

{# An e-mail address as it identifies: lower case, trimmed, without what follows a `+`. Null for what
   is no address. One match at most: engines agree on that. #}
{% macro email_key(email) -%}
    {%- set address = "lower(trim(" ~ email ~ "))" -%}
    case
        when
            {{ address }} like '_%@_%'
            and {{ address }} not like '%@%@%'
            and {{ address }} not like '+%'
            then case
                when {{ address }} like '%+%@%'
                    then regexp_replace({{ address }}, '[+][^@]*@', '@')
                else {{ address }}
            end
    end
{%- endmacro %}

{# What stands before and behind the `@` of such an address. #}
{% macro address_mailbox(address) -%}
    substring({{ address }}, 1, instr({{ address }}, '@') - 1)
{%- endmacro %}

{% macro address_domain(address) -%}
    substring({{ address }}, instr({{ address }}, '@') + 1)
{%- endmacro %}

{# An account by its name: lower case, words joined by `_`, without punctuation. Empty becomes null. #}
{% macro account_key(name) -%}
    {{ return(adapter.dispatch("account_key", "tieout")(name)) }}
{%- endmacro %}

{# DuckDB: the flag g, or only the first match would be replaced. #}
{% macro default__account_key(name) -%}
    nullif(
        trim(
            regexp_replace(
                regexp_replace(lower({{ name }}), '[.''’]+', '', 'g'), '[^\p{L}\p{N}]+', '_', 'g'
            ), '_'
        ), ''
    )
{%- endmacro %}

{# Spark: replaces all by itself, needs the backslash twice, and trims with `both from`. #}
{% macro spark__account_key(name) -%}
    nullif(
        trim(
            both '_' from regexp_replace(
                regexp_replace(lower({{ name }}), "[.'’]+", ''), '[^\\p{L}\\p{N}]+', '_'
            )
        ), ''
    )
{%- endmacro %}

{# What names of one company have in common: its account key without a leading `the` and without
   legal forms at the end (`S.A.` is the word `sa`, `GmbH & Co. KG` the words `gmbh_co_kg`). #}
{% macro company_key(account_key) -%}
    {# One match at most each: engines agree on that. #}
    regexp_replace(
        regexp_replace({{ account_key }}, '^the_', ''),
        '(_(ab|ag|as|asa|aps|bv|bvba|co|company|corp|corporation|doo|eg|ek|eirl|eurl|ev|gbr|gmbh|inc'
        || '|incorporated|kft|kg|kgaa|kk|limited|llc|llp|lp|ltd|ltda|mbh|nv|ohg|ou|oy|oyj|plc|pte'
        || '|pty|pvt|sa|sarl|sas|se|sl|slu|sp_z_oo|spa|sprl|srl|sro|ug|zrt))+$',
        ''
    )
{%- endmacro %}
