-- How many events are no trip, and why; how many trips were told of late?
select reason, count(*) as events
from {{ source('lake', 'rejects') }}
group by reason
union all
select 'LATE' as reason, count(*) as events
from {{ source('lake', 'silver') }}
where late
having count(*) > 0
