-- How good is what the meters of each vendor tell? Events that do not say whose they are count as vendor 0.
with trips as (
    select
        vendor_id,
        count(*) as trips,
        sum(case when late then 1 else 0 end) as late,
        sum(case when payment = 'cash' then 1 else 0 end) as in_cash,
        sum(case when payment = 'cash' and tip > 0 then 1 else 0 end) as tips_in_cash,
        sum(case when miles = 0 then 1 else 0 end) as without_miles,
        sum(case when miles > minutes * {{ var('most_miles_per_minute') }} then 1 else 0 end) as too_fast
    from {{ source('lake', 'silver') }}
    group by vendor_id
),
refused as (
    select vendor_id, count(*) as rejected, sum(case when reason = 'DUPLICATE' then 1 else 0 end) as duplicates
    from (
        select {{ number_in('event', 'vendor_id', "reason <> 'MALFORMED'") }} as vendor_id, reason
        from {{ source('lake', 'rejects') }}
    ) as rejects
    group by vendor_id
)
select
    coalesce(trips.vendor_id, refused.vendor_id) as vendor_id,
    coalesce(trips.trips, 0) + coalesce(refused.rejected, 0) as events,
    coalesce(trips.trips, 0) as trips,
    coalesce(refused.rejected, 0) as rejected,
    coalesce(refused.duplicates, 0) as duplicates,
    coalesce(trips.late, 0) as late,
    coalesce(trips.in_cash, 0) as in_cash,
    coalesce(trips.tips_in_cash, 0) as tips_in_cash,
    coalesce(trips.without_miles, 0) as without_miles,
    coalesce(trips.too_fast, 0) as too_fast,
    round(cast(
        100.0 * coalesce(refused.rejected, 0) / (coalesce(trips.trips, 0) + coalesce(refused.rejected, 0)) as decimal(12, 4)
    ), 2) as rejected_percent
from trips
full outer join refused on refused.vendor_id = trips.vendor_id
