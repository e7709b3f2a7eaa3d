-- What does a day bring, by card and in cash?
select
    cast(pickup_at as date) as pickup_day,
    count(*) as trips,
    round(cast(sum(fare) as decimal(18, 4)), 2) as fares,
    round(cast(sum(tip) as decimal(18, 4)), 2) as tips,
    round(cast(sum(case when payment = 'card' then fare + tip else 0 end) as decimal(18, 4)), 2) as by_card,
    round(cast(sum(case when payment = 'cash' then fare + tip else 0 end) as decimal(18, 4)), 2) as in_cash
from {{ source('lake', 'silver') }}
group by cast(pickup_at as date)
