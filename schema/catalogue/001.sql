-- The catalogue: an index of the volumes, built from their journal frames alone.
-- schema/README.md explains every column.

create table state (
	id integer primary key check (id = 1),
	archive blob not null,
	applied_seq integer not null,
	head blob not null,
	checkpoint integer not null,
	pruned_ms integer not null
);

create table volume (
	sequence integer primary key,
	uuid blob not null unique,
	state integer not null,
	applied_frame integer not null
);

create table item (
	id integer primary key,
	kind integer not null,
	volume integer not null,
	frame integer not null,
	offset integer not null,
	size integer not null,
	sha256 blob
);

create index leaf_by_digest on item (substr(sha256, 1, 8)) where kind = 3;

create table part (
	skeleton integer not null,
	number integer not null,
	leaf integer not null,
	primary key (skeleton, number)
) without rowid;

create table message (
	id integer primary key,
	sha256 blob not null,
	size integer not null,
	header_size integer not null,
	item integer not null,
	sender text not null,
	subject text not null,
	date_header not null,
	message_id text not null
);

create index message_by_digest on message (substr(sha256, 1, 8));

create table folder (
	id integer not null,
	gen_from integer not null,
	gen_to integer,
	path text not null,
	wire_name text not null,
	delimiter integer not null,
	attributes text not null,
	special_use text,
	subscribed integer not null,
	selectable integer not null,
	uidvalidity integer not null,
	primary key (id, gen_from)
) without rowid;

create table flag_set (
	id integer primary key,
	flags text not null unique
);

create table placement (
	folder integer not null,
	uidvalidity integer not null,
	uid integer not null,
	gen_from integer not null,
	gen_to integer,
	gone integer not null,
	added integer not null,
	message integer not null,
	known integer not null,
	date_s integer,
	date_offset integer,
	date_text text,
	flag_set integer not null,
	primary key (folder, uidvalidity, uid, gen_from)
) without rowid;

create table mark (
	folder integer primary key,
	uidvalidity integer not null,
	uidnext integer not null,
	highestmodseq integer not null,
	messages integer not null,
	flags_compared_ms integer not null
);

create table snapshot (
	generation integer primary key,
	unix_ms integer not null,
	complete integer not null,
	pinned integer not null,
	pruned integer not null,
	messages integer not null,
	bytes integer not null,
	added integer not null,
	removed integer not null,
	changed integer not null
);

create index snapshot_kept on snapshot (generation) where not pruned;

create table tombstone (
	folder integer not null,
	uidvalidity integer not null,
	uid integer not null,
	primary key (folder, uidvalidity, uid)
) without rowid;

create table forgotten (
	message integer primary key
);
