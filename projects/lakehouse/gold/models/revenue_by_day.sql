-- What does a day bring, by card and in cash?
with trips as (
    select
        cast(pickup_at as date) as pickup_day,
        payment,
        {{ dollars('fare') }} as fare,
        {{ dollars('tip') }} as tip
    from {{ source('lake', 'silver') }}
)
select
    pickup_day,
    count(*) as trips,
    sum(fare) as fares,
    sum(tip) as tips,
    sum(case when payment = 'card' then fare + tip else 0 end) as by_card,
    sum(case when payment = 'cash' then fare + tip else 0 end) as in_cash
from trips
group by pickup_day
