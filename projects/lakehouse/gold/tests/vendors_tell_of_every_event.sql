-- Do the vendors' events differ in number from what came?
select 1
where (select sum(events) from {{ ref('quality_by_vendor') }}) <> (select bronze_rows from {{ ref('quality') }})
