-- Do days and zones tell of a different number of trips?
select 1
where (select sum(trips) from {{ ref('revenue_by_day') }}) <> (select sum(trips) from {{ ref('trips_by_hour_and_zone') }})
