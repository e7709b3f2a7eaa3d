-- How many trips begin where, at which hour of the day, and what do they cost?
-- Zones are called as they are called today: silver has the names of the day on which it heard of a trip.
select
    trips.pickup_zone,
    zones.name as zone_name,
    zones.borough,
    cast(extract(hour from trips.pickup_at) as integer) as pickup_hour,
    count(*) as trips,
    round(cast(avg(trips.fare) as decimal(12, 4)), 2) as average_fare,
    round(cast(avg(trips.minutes) as decimal(12, 4)), 2) as average_minutes
from {{ source('lake', 'silver') }} as trips
inner join {{ ref('zones') }} as zones on zones.zone = trips.pickup_zone
group by trips.pickup_zone, zones.name, zones.borough, cast(extract(hour from trips.pickup_at) as integer)
