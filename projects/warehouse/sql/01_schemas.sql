-- Where does the warehouse keep what? Exports as they came in, the star schema, and what is known about quality.
-- Every file of this folder may be run again at any time; they are applied in the order of their names.
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS dw;
CREATE SCHEMA IF NOT EXISTS dq;
