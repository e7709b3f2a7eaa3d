-- Is every event accounted for: a trip, or a reject?
select
    (select count(*) from {{ source('lake', 'bronze') }}) as bronze_rows,
    (select count(*) from {{ source('lake', 'silver') }}) as silver_rows,
    (select count(*) from {{ source('lake', 'rejects') }}) as rejected_rows
