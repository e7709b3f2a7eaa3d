-- Which whole number does a JSON text hold under a name? 0 where it has none; it is looked into where the condition holds
-- alone. DuckDB and PostgreSQL say it differently.
{% macro number_in(text, name, condition) %}{{ return(adapter.dispatch('number_in', 'gold')(text, name, condition)) }}{% endmacro %}

{% macro duckdb__number_in(text, name, condition) -%}
coalesce(try_cast(case when {{ condition }} and json_valid({{ text }}) then json_extract_string({{ text }}, '$.{{ name }}') end as integer), 0)
{%- endmacro %}

{% macro postgres__number_in(text, name, condition) -%}
coalesce(cast(case when {{ condition }} then cast({{ text }} as json) ->> '{{ name }}' end as integer), 0)
{%- endmacro %}
