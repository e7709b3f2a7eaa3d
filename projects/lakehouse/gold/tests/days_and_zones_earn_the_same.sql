-- Do days and zones tell of different fares?
select 1
where (select sum(fares) from {{ ref('revenue_by_day') }}) <> (select sum(fares) from {{ ref('zone_performance') }})
