"""How does a flow run dbt? By its command line, with one reported step for each model, test, seed and snapshot."""
