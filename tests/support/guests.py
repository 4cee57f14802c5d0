"""What a guest of the published file may not do, however they are connected."""

FORBIDDEN = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/hostname')",
    "select * from '/etc/passwd'",
    "select * from glob('/etc/*')",
    "copy (select 1) to '/tmp/tieout-stolen.csv'",
    "attach '/tmp/tieout-other.duckdb'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set memory_limit = '100GB'",
    "create table mine as select 1",
    "delete from rpt_stage_balance__campaign_cohort",
    "export database '/tmp/tieout-stolen'",
]
