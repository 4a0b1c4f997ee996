"""How a database comes to have the tables of gateway/store/tables, version by version; run by alembic."""
