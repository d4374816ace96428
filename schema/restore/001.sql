-- The journal of restores from one archive to one server. It may be lost: rows are only hints.

create table folder (
	id integer primary key,
	wire_name text not null unique
);

-- A message of the target that holds these bytes of the archive, or did when the row was written.
create table message (
	id integer primary key,
	folder integer not null,
	uidvalidity integer not null,
	uidnext integer not null, -- of the folder before the message was sent
	uid integer, -- null: it is being sent
	sha256 blob not null, -- of the bytes in the archive
	size integer, -- RFC822.SIZE as the server shows it; null: not looked at yet
	unix_s integer -- INTERNALDATE as the server shows it
);

create unique index message_by_uid on message (folder, uidvalidity, uid) where uid is not null;
