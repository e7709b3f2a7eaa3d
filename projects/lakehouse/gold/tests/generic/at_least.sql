{% test at_least(model, column_name, value) %}
-- Is there a smaller one?
select * from {{ model }} where {{ column_name }} < {{ value }}
{% endtest %}
