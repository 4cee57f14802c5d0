"""What Dagster sees: assets, checks, the job, its schedule and sensor. Logic is in `lib`."""
