-- What do DuckDB and PostgreSQL say differently?

-- An amount of dollars, to the cent: sums of them are exact.
{% macro dollars(column) %}cast({{ column }} as decimal(12, 2)){% endmacro %}

-- A whole number of a JSON text, 0 where it has none; the text is looked into where the condition holds alone.
{% macro number_in(text, name, condition) %}{{ return(adapter.dispatch('number_in', 'gold')(text, name, condition)) }}{% endmacro %}

{% macro duckdb__number_in(text, name, condition) -%}
coalesce(try_cast(case when {{ condition }} and json_valid({{ text }}) then json_extract_string({{ text }}, '$.{{ name }}') end as integer), 0)
{%- endmacro %}

{% macro postgres__number_in(text, name, condition) -%}
coalesce(cast(case when {{ condition }} then cast({{ text }} as json) ->> '{{ name }}' end as integer), 0)
{%- endmacro %}
