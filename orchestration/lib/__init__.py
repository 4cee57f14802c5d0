"""What the pipeline does, without Dagster: landing, sources, releases, the sample company."""
