-- Run once, by the postgres image, when its volume is empty. Each system owns its databases and knows only its own password.
\set carewave_password `cat /run/secrets/carewave_db_password`
\set temporal_password `cat /run/secrets/temporal_db_password`

CREATE ROLE carewave LOGIN PASSWORD :'carewave_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';

CREATE DATABASE carewave OWNER carewave;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

REVOKE CONNECT ON DATABASE carewave, temporal, temporal_visibility FROM PUBLIC;
