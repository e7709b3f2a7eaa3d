-- Which zones have been called otherwise since silver has heard of their trips? A warning: the job of silver goes on with
-- the names with which it began.
{{ config(severity='warn') }}
select distinct trips.pickup_zone, trips.pickup_zone_name, zones.name
from {{ source('lake', 'silver') }} as trips
inner join {{ ref('zones') }} as zones on zones.zone = trips.pickup_zone
where trips.pickup_zone_name <> zones.name or trips.pickup_borough <> zones.borough
