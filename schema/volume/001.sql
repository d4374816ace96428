-- A volume: frames of bytes, never changed once written. schema/README.md explains every column.

create table header (
	key text primary key,
	value blob not null
) without rowid;

create table frame (
	id integer primary key autoincrement,
	kind integer not null,
	codec integer not null,
	rawlen integer not null,
	sha256 blob not null,
	data blob not null
);
