-- What is an amount of dollars? To the cent: sums of them are exact in every database.
{% macro dollars(column) %}cast({{ column }} as decimal(12, 2)){% endmacro %}
