-- Statements on a volume.

-- name: header_get
select value from header where key = :key;

-- name: header_put
insert into header (key, value) values (:key, :value);

-- name: frame_put
insert into frame (id, kind, codec, rawlen, sha256, data)
values (:id, :kind, :codec, :rawlen, :sha256, :data);

-- name: frame_get
select kind, codec, rawlen, sha256, data from frame where id = :id;

-- name: frame_kind
select kind, codec from frame where id = :id;

-- name: frame_next
select id from frame where id > :after order by id limit 1;

-- name: frame_count
select count(*) from frame;

-- name: frame_remove
delete from frame where id between :first and :last;

-- name: frame_last_id
select max(coalesce((select seq from sqlite_sequence where name = 'frame'), 0),
	coalesce((select max(id) from frame), 0));

-- name: journal_next
select id from frame where kind in (3, 5) and id > :after order by id limit 1;

-- name: journal_last
select coalesce(max(id), 0) from frame where kind in (3, 5);

-- name: directory_next
select id from frame where kind = 4 and id > :after order by id limit 1;

-- name: frame_digests
select id, sha256 from frame order by id;

-- name: journal_checkpoint_next
select id from frame where kind = 5 and id > :after order by id limit 1;

-- name: raw_bytes
select coalesce(sum(rawlen), 0) from frame;
