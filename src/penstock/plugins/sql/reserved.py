"""Which words does a database keep for itself? As names they stand between marks."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A word that is reserved anywhere: to quote it where it is not does no harm, but where names without quotes become
# capitals. Those databases have their own list.
RESERVED: Final = _words(
    """
    abort accessible action add after all allowoverwrite alter analyse analyze and anti any array as asc asensitive
    asof asymmetric at attach authorization auto autoincrement backup before begin between bigint binary
    blanksasnull blob both break browse bulk by bytedict bzip2 call cascade case cast change char character check
    checkpoint close clustered coalesce collate collation column columns commit compute concurrently condition
    conflict constraint contains containstable continue convert create credentials cross cube cume_dist current
    current_catalog current_date current_path current_role current_schema current_time current_timestamp
    current_user cursor database databases day_hour day_microsecond day_minute day_second dbcc deallocate dec
    decimal declare default deferrable deferred deflate defrag delayed delete delete_domain_id delta delta32k
    dense_rank deny desc describe detach deterministic disable disk distinct distinctrow distributed div do
    do_domain_ids double drop dual dump each else elseif empty emptyasnull enable enclosed encode encrypt encryption
    end errlvl escape escaped except exclusive exec execute exists exit explain explicit external extract fail false
    fetch file fillfactor final first_value float float4 float8 for force foreign format freetext freetexttable
    freeze from full fulltext function generated glob globaldict256 globaldict64k goto grant group grouping groups
    gzip having high_priority holdlock hour_microsecond hour_minute hour_second identity identity_insert identitycol
    if ignore ignore_domain_ids ilike in index indexed infile initially inner inout insensitive insert instead int
    int1 int2 int3 int4 int8 integer intersect interval into io_after_gtids io_before_gtids is isnull iterate join
    json_array json_arrayagg json_exists json_object json_objectagg json_query json_table json_value key keys kill
    lag lambda last_value lateral lead leading leave left like limit linear lineno lines listagg load localtime
    localtimestamp lock long longblob longtext loop low_priority lun luns lzo lzop manual map master_bind
    master_demote_to_replica master_demote_to_slave master_ssl_verify_server_cert match maxvalue mediumblob
    mediumint mediumtext merge middleint minus minute_microsecond minute_second mod modifies mostly13 mostly32
    mostly8 national natural new no_write_to_binlog nocheck nonclustered normalize not nothing notnull nth_value
    ntile null nullif numeric of off offline offset offsets oid old on only open opendatasource openquery openrowset
    openxml optimize optimizer_costs option optionally or order out outer outfile over overlaps page_checksum
    parallel parse_vcol_expr partition percent percent_rank permissions pivot pivot_longer pivot_wider placing plan
    portion position positional pragma precision prepare prewhere primary print proc procedure public purge qualify
    query raise raiserror range rank raw read read_write reads readtext real reconfigure recover recursive
    ref_system_id references regexp reindex release rename repeat replace replication require resignal resort
    respect restore restrict return returning revert revoke right rlike rollback rollup row row_number rowcount
    rowguidcol rows rule sample save savepoint schema schemas second_microsecond securityaudit select semi sensitive
    separator session_user set settings setuser show shutdown signal similar skip smallint snapshot some spatial
    specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl starting
    statistics stats_auto_recalc stats_persistent stats_sample_pages stored straight_join struct substring summarize
    symmetric sysdate system system_user table tablesample tag temp temporary terminated text32k textsize then
    timestamp tinyblob tinyint tinytext to top trailing tran transaction trigger trim true truncate truncatecolumns
    try_cast try_convert tsequal tuple uescape undo union unique unlock unnest unpack unpivot unsigned update
    updatetext usage use user using utc_date utc_time utc_timestamp vacuum values varbinary varchar varcharacter
    variadic varying verbose view virtual waitfor wallet when where while window with within without write writetext
    xor year_month zerofill
    """
)
RESERVED_BY_ORACLE: Final = _words(
    """
    access add all alter and any as asc audit between by char check cluster column comment compress connect create
    current date decimal default delete desc distinct drop else exclusive exists file float for from grant group
    having identified immediate in increment index initial insert integer intersect into is level like lock long
    maxextents minus mlslabel mode modify noaudit nocompress not nowait null number of offline on online option or
    order pctfree prior public raw rename resource revoke row rowid rownum rows select session set share size
    smallint start successful synonym sysdate table then to trigger uid union unique update user validate values
    varchar varchar2 view whenever where with
    """
)
RESERVED_BY_SNOWFLAKE: Final = _words(
    """
    account all alter and any as between by case cast check column connect connection constraint create cross
    current current_date current_time current_timestamp current_user database delete distinct drop else exists false
    following for from full grant group gscluster having ilike in increment inner insert intersect into is issue
    join lateral left like localtime localtimestamp minus natural not null of on or order organization qualify
    regexp revoke right rlike row rows sample schema select set some start table tablesample then to trigger true
    try_cast union unique update using values view when whenever where with
    """
)
