-- Which zones earn how much, and from where do trips end there?
with starts as (
    select pickup_zone as zone, count(*) as trips_from, sum(fare) as fares, sum(miles) as miles, sum(minutes) as minutes
    from {{ source('lake', 'silver') }}
    group by pickup_zone
),
ends as (
    select dropoff_zone as zone, count(*) as trips_to
    from {{ source('lake', 'silver') }}
    group by dropoff_zone
)
select
    coalesce(starts.zone, ends.zone) as zone,
    coalesce(trips_from, 0) as trips_from,
    coalesce(trips_to, 0) as trips_to,
    round(cast(coalesce(fares, 0) as decimal(18, 4)), 2) as fares,
    round(cast(fares / nullif(miles, 0) as decimal(18, 4)), 2) as fare_per_mile,
    round(cast(fares / nullif(minutes, 0) as decimal(18, 4)), 2) as fare_per_minute,
    rank() over (order by coalesce(fares, 0) desc) as place
from starts
full outer join ends on starts.zone = ends.zone
