-- Which zones earn how much, and where do trips end?
with starts as (
    select
        pickup_zone as zone,
        count(*) as trips_from,
        sum({{ dollars('fare') }}) as fares,
        sum(miles) as miles,
        sum(minutes) as minutes
    from {{ source('lake', 'silver') }}
    group by pickup_zone
),
ends as (
    select dropoff_zone as zone, count(*) as trips_to
    from {{ source('lake', 'silver') }}
    group by dropoff_zone
)
select
    zones.zone,
    zones.name,
    zones.borough,
    coalesce(starts.trips_from, 0) as trips_from,
    coalesce(ends.trips_to, 0) as trips_to,
    coalesce(starts.fares, 0) as fares,
    round(cast(starts.fares / nullif(starts.miles, 0) as decimal(18, 4)), 2) as fare_per_mile,
    round(cast(starts.fares / nullif(starts.minutes, 0) as decimal(18, 4)), 2) as fare_per_minute,
    rank() over (order by coalesce(starts.fares, 0) desc) as place
from {{ ref('zones') }} as zones
left join starts on starts.zone = zones.zone
left join ends on ends.zone = zones.zone
where starts.zone is not null or ends.zone is not null
