-- How many trips begin where, at which hour of the day, and what do they cost?
select
    pickup_zone,
    cast(extract(hour from pickup_at) as integer) as pickup_hour,
    count(*) as trips,
    round(cast(avg(fare) as decimal(12, 4)), 2) as average_fare,
    round(cast(avg(minutes) as decimal(12, 4)), 2) as average_minutes
from {{ source('lake', 'silver') }}
group by pickup_zone, cast(extract(hour from pickup_at) as integer)
