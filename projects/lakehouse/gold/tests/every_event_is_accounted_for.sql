-- Is there an event that is neither a trip nor a reject?
select * from {{ ref('quality') }} where bronze_rows <> silver_rows + rejected_rows
