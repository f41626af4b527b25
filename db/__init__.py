"""PostgreSQL: tables, session, repositories, migrations. Queries live here and nowhere else."""
